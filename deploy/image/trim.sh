#!/bin/sh
# Takes out of a site-packages folder what serving never opens: test suites, headers, training helpers, sample data.
# What it keeps is checked by tests/integration/test_image.py, which serves a request from the trimmed image.
set -eu
cd "$1"
rm -rf cv2/data \
    onnxruntime/transformers onnxruntime/quantization onnxruntime/tools onnxruntime/datasets \
    numpy/f2py numpy/_core/include numpy/_core/lib \
    rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx
find . -depth -type d \( -name tests -o -name test \) -path '*/*/*' \
    ! -path './bentoml/*' ! -path './numpy/testing/*' -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' \) -delete
# the C interface's library; Python's own (onnxruntime_pybind11_state) holds the whole runtime once more
rm -f onnxruntime/capi/libonnxruntime.so*
