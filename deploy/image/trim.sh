#!/bin/sh
# Takes out of a site-packages folder what serving never opens: test suites, headers, training helpers, sample data.
# What it keeps is checked by tests/integration/test_image.py, which serves a request from the trimmed image.
#
#   trim.sh SITE_PACKAGES
set -eu
cd "$1"
rm -rf cv2/data \
    onnxruntime/transformers onnxruntime/quantization onnxruntime/tools onnxruntime/datasets \
    numpy/f2py numpy/_core/include numpy/_core/lib
find . -depth -type d \( -name tests -o -name test \) -path '*/*/*' \
    ! -path './bentoml/*' ! -path './numpy/testing/*' -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' \) -delete
# the C interface's library; Python's own (onnxruntime_pybind11_state) holds the whole runtime once more
rm -f onnxruntime/capi/libonnxruntime.so*
# symbols for debuggers, 24 MB; only of packages whose libraries auditwheel has not moved: those break when stripped
if command -v strip >/dev/null; then
    find uvloop aiohttp yaml httptools -name '*.so' -exec strip --strip-unneeded {} +
fi
# rich asks pygments for these two languages, and serving colours no source code
find pygments/lexers -type f ! -name '_*' ! -name 'python.*' ! -name 'special.*' -delete
# OpenBLAS comes three times; OpenCV and FAISS bring the same release (38 MB each), so one serves both
release() { name=${1##*-}; echo "${name#*.}"; }
opencv=$(echo opencv_python_headless.libs/libopenblas*.so) faiss=$(echo faiss_cpu.libs/libopenblas*.so)
if [ -f "$opencv" ] && [ -f "$faiss" ] && [ "$(release "$opencv")" = "$(release "$faiss")" ]; then
    ln -sf "../$faiss" "$opencv"
    for library in faiss_cpu.libs/libgomp* faiss_cpu.libs/libgfortran* faiss_cpu.libs/libquadmath*; do
        [ -e "opencv_python_headless.libs/${library##*/}" ] || ln -s "../$library" opencv_python_headless.libs/
    done
fi
