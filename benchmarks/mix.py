"""The requests of a soak: all routes, photos of many sizes and formats, and uploads that are refused."""

import io
from dataclasses import dataclass
from typing import Final

import requests
from PIL import Image

from pipeline.settings import ROOT

MIX: Final = (
    "identify, one side", "search by imprint", "broken upload", "search by name", "detect", "item", "search by imprint",
    "not a photo", "search by look", "identify, two sides", "search by imprint", "drawing", "broken upload",
    "search by name", "detect", "search by imprint", "wrong field", "identify, one side", "search by look", "item",
)  # fmt: skip
"""What request number n is: the one at n modulo 20."""

IMPRINTS: Final = ("teva 7270", "576", "A 10", "L484", "WATSON 853", "M 367", "IP 110", "54 733")
NAMES: Final = ("pravastatin", "metformin", "amoxicilin", "로수바", "aspirin 100", "cetirizine")
LOOKS: Final = ({"shape": "oval", "color": "white"}, {"form": "hard capsule", "color": "blue"}, {"shape": "round"})
LONG_SIDES: Final = (480, 640, 800, 1000, 1280, 1600, 2400, 3200)
FORMATS: Final = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Mix:
    """`fronts`, `backs`: photos of one pill as files; the same position is the same size."""

    fronts: tuple[bytes, ...]
    backs: tuple[bytes, ...]

    @classmethod
    def of_examples(cls) -> "Mix":
        """The example photos in eight sizes and three formats."""
        front, back = (Image.open(ROOT / "examples" / f"{side}.jpg").convert("RGB") for side in ("front", "back"))
        return cls(_variants(front), _variants(back))

    def send(self, url: str, number: int, timeout_s: float) -> requests.Response:
        """Send request number `number` of the soak. Raises `requests.RequestException`."""
        name, turn = MIX[number % len(MIX)], number // len(MIX)
        front, back = self.fronts[turn % len(self.fronts)], self.backs[turn % len(self.backs)]
        uploads = {
            "identify, one side": ("identify", {"front": front if number % 2 else back}),
            "identify, two sides": ("identify", {"front": front, "back": back}),
            "detect": ("detect", {"image": front}),
            "broken upload": ("identify", {"front": front[: len(front) * (1 + turn % 8) // 9]}),
            "not a photo": ("detect", {"image": b"%PDF-1.7" + bytes(1000 * (1 + turn % 500))}),
            "wrong field": ("identify", {"photo": front}),
        }
        if name in uploads:
            route, files = uploads[name]
            return requests.post(f"{url}/v1/{route}", files=files, timeout=timeout_s)
        questions: dict[str, tuple[str, dict[str, str]]] = {
            "search by imprint": ("search", {"imprint": IMPRINTS[turn % len(IMPRINTS)]}),
            "search by name": ("search", {"name": NAMES[turn % len(NAMES)], "top_k": "20"}),
            "search by look": ("search", LOOKS[turn % len(LOOKS)]),
            "drawing": ("items/us-nih:93-576/drawing.svg", {}),
            "item": ("items/us-nih:93-576", {}),
        }
        path, query = questions[name]
        return requests.get(f"{url}/v1/{path}", query, timeout=timeout_s)


def _variants(image: Image.Image) -> tuple[bytes, ...]:
    files = []
    for number, side in enumerate(LONG_SIDES * len(FORMATS)):
        scale = side / max(image.size)
        out = io.BytesIO()
        image.resize((round(image.width * scale), round(image.height * scale))).save(out, FORMATS[number % 3])
        files.append(out.getvalue())
    return tuple(file for file in files if len(file) < 4_500_000)  # two of them fit into one request
