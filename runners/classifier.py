"""Cut-outs -> colours, shape, form, score line and whether something is imprinted, as probabilities."""

from pathlib import Path

import bentoml
import numpy as np
import onnxruntime as ort

from pipeline.attributes import ATTRIBUTE_WIDTH
from pipeline.ports import Float32, UInt8
from pipeline.settings import settings
from runners.guard import guarded
from runners.images import on_black
from runners.serving import RUNNER_CONFIG, batched
from runners.session import ModelError, input_size, open_model


class Classifier:
    """The attribute model with its pre-processing.

    Args:
        session: takes (N, S, S, 3) uint8 RGB on black, returns (N, ATTRIBUTE_WIDTH) float32 probabilities laid out
            as `pipeline.attributes.LAYOUT` says.

    Raises:
        ModelError: the model was made for another list of attributes.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self.session = session
        self.input = session.get_inputs()[0].name
        self.size = input_size(session)
        width = session.get_outputs()[0].shape[-1]
        if width != ATTRIBUTE_WIDTH:
            raise ModelError(f"the classifier returns {width} probabilities, this code reads {ATTRIBUTE_WIDTH}")

    @classmethod
    def open(cls, models_dir: Path | None = None) -> "Classifier":
        """The shipped model, or the one of another models folder. Raises `runners.session.ModelError`."""
        return cls(open_model("classifier", models_dir))

    def classify(self, cutouts: UInt8) -> Float32:
        """`cutouts`: (N, S, S, 4) uint8 RGBA, N >= 1. Returns (N, ATTRIBUTE_WIDTH) float32 in [0, 1]."""
        images = on_black(cutouts, self.size)
        return np.asarray(self.session.run(None, {self.input: images})[0], np.float32)


@guarded
@bentoml.service(name="classifier", **RUNNER_CONFIG)
class ClassifierRunner:
    """`Classifier` as a service of its own."""

    def __init__(self) -> None:
        self.classifier = Classifier.open(settings().models_dir)

    @batched
    def classify(self, cutouts: np.ndarray) -> np.ndarray:
        """See `Classifier.classify`."""
        return self.classifier.classify(cutouts)
