"""Photos with boxes and generated scenes, laid out on disk as ultralytics reads them.

Layout under the given folder: `images/{real,scene}/NAME.jpg`, `labels/{real,scene}/NAME.txt` (class, centre x,
centre y, width, height, each a fraction of the picture), `train.txt`, `val.txt`, `data.yaml`. A finished folder is not
made twice.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from tqdm import tqdm

from training.cutouts import read_rgb
from training.print_text import print_text

Boxes = NDArray[np.float32]
"""(n, 4) float32: x1, y1, x2, y2 in px."""
Picture = tuple[NDArray[np.uint8], Boxes]
"""(H, W, 3) uint8 RGB and its boxes."""


class _Scenes(Protocol):
    def scene(
        self, rng: np.random.Generator, size: tuple[int, int], pills: int,
        extent: tuple[float, float] = ..., touching: float = ..., *, things: int = ...,
        thing_extent: tuple[float, float] = ...,
    ) -> Any: ...  # fmt: skip


def polygon_box(segments: list[list[float]]) -> list[float]:
    """x1, y1, x2, y2 around COCO polygons (flat lists of x, y in px)."""
    points = np.concatenate([np.asarray(s, np.float32).reshape(-1, 2) for s in segments])
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def coco_boxes(folder: Path, drop: list[str] | None = None) -> list[tuple[Path, Boxes]]:
    """Images of a COCO folder with their boxes, by file name; polygons win over the stated box.

    `drop`: values of an image's `source_hint` to leave out.
    """
    coco = json.loads((folder / "coco.json").read_text())
    found: dict[int, list[list[float]]] = defaultdict(list)
    for note in coco["annotations"]:
        x, y, w, h = note["bbox"]
        polygons = note.get("segmentation")
        found[note["image_id"]].append(polygon_box(polygons) if polygons else [x, y, x + w, y + h])
    kept = [image for image in coco["images"] if image.get("source_hint") not in (drop or [])]
    return sorted(
        (folder / image["file_name"], np.asarray(found[image["id"]], np.float32).reshape(-1, 4)) for image in kept
    )


def shrink(picture: Picture, long_side: int) -> Picture:
    """Scale down so that the longer side is at most `long_side` px."""
    image, boxes = picture
    factor = long_side / max(image.shape[:2])
    if factor >= 1:
        return picture
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    ratio = np.asarray([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8), boxes * ratio


def tight_crop(picture: Picture, margin: float, rng: np.random.Generator) -> Picture:
    """What a person or an app crops: the first pill with `margin` around it (share of its long side, each side a bit
    different), half of the time set into a black square."""
    image, boxes = picture
    height, width = image.shape[:2]
    x1, y1, x2, y2 = boxes[0]
    reach = margin * max(x2 - x1, y2 - y1) * rng.uniform(0.5, 1.5, 4)
    left, top = max(int(x1 - reach[0]), 0), max(int(y1 - reach[1]), 0)
    cut = image[top : min(int(y2 + reach[2]) + 1, height), left : min(int(x2 + reach[3]) + 1, width)]
    offset = np.asarray([left, top], np.float32)
    if rng.random() < 0.5:
        side = max(cut.shape[:2])
        corner = ((side - cut.shape[1]) // 2, (side - cut.shape[0]) // 2)
        square = np.zeros((side, side, 3), np.uint8)
        square[corner[1] : corner[1] + cut.shape[0], corner[0] : corner[0] + cut.shape[1]] = cut
        cut, offset = square, offset - corner
    return cut, boxes - np.tile(offset, 2).astype(np.float32)


def label_lines(boxes: Boxes, width: int, height: int) -> str:
    """The YOLO label file of one picture; boxes thinner than 2 px after clipping are left out."""
    lines = []
    for x1, y1, x2, y2 in np.clip(boxes, 0, [width, height, width, height]):
        if min(x2 - x1, y2 - y1) >= 2:
            cx, cy = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height
            lines.append(f"0 {cx:.6f} {cy:.6f} {(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}\n")
    return "".join(lines)


def scene_picture(scenes: _Scenes, kind: str, spec: dict[str, Any], seed: int, number: int) -> Picture:
    """Generated picture `number` of a kind; the same whenever it is made. In `spec`, each a [low, high]: `pills`,
    `side` (px), `extent` (long side of a pill as a share of the short side of the picture), `margin` where pictures
    are cropped to their pill; `touching` in [0, 1]; `printed` where words and rulers lie beside the pills; `things`
    (how many) and `thing_extent` where other things do."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
    low, high = spec["side"]
    size = (int(rng.integers(low, high + 1)), int(rng.integers(low, high + 1)))
    pills = int(rng.integers(spec["pills"][0], spec["pills"][1] + 1))
    extent = (spec["extent"][0], spec["extent"][1])
    others: dict[str, Any] = {}
    if "things" in spec:
        others["things"] = int(rng.integers(spec["things"][0], spec["things"][1] + 1))
        others["thing_extent"] = (spec["thing_extent"][0], spec["thing_extent"][1])
    made = scenes.scene(rng, size=size, pills=pills, extent=extent, touching=spec["touching"], **others)
    picture = (made.image, made.boxes)
    if "margin" in spec and len(made.boxes):
        picture = tight_crop(picture, rng.uniform(*spec["margin"]), rng)
    if spec.get("printed"):
        picture = (print_text(*picture, rng), picture[1])
    return picture


def bare_crop(picture: Picture, rng: np.random.Generator) -> Picture | None:
    """A part of a real photo without any pill: what hands, tables and packages look like between them. None where a
    few tries found no free place of at least a quarter of the photo's sides."""
    image, boxes = picture
    height, width = image.shape[:2]
    for _ in range(30):
        share = rng.uniform(0.25, 0.7)
        w, h = int(width * share), int(height * share)
        x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        apart = (boxes[:, 0] >= x + w) | (boxes[:, 2] <= x) | (boxes[:, 1] >= y + h) | (boxes[:, 3] <= y)
        if apart.all():
            return image[y : y + h, x : x + w], np.zeros((0, 4), np.float32)
    return None


class _Writer:
    """Writes pictures with labels and remembers which list each belongs to."""

    def __init__(self, root: Path, long_side: int) -> None:
        self.root, self.long_side = root, long_side
        self.lists: dict[str, list[str]] = {"train": [], "val": []}

    def add(self, group: str, name: str, make: Callable[[], Picture], split: str, repeat: int = 1) -> None:
        """`make` is called unless the picture is there already: an interrupted preparation goes on where it was."""
        pictures, labels = (self.root / kind / group for kind in ("images", "labels"))
        path, label = pictures / f"{name}.jpg", labels / f"{name}.txt"
        if not label.exists():  # written last
            image, boxes = shrink(make(), self.long_side)
            pictures.mkdir(parents=True, exist_ok=True)
            labels.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
            label.write_text(label_lines(boxes, image.shape[1], image.shape[0]))
        self.lists[split] += [str(path.resolve())] * repeat


def _same(picture: Picture) -> Picture:
    return picture


def _describe(root: Path, val: list[str], name: str) -> Path:
    """Write the list of validation pictures and the yaml `name` that ultralytics is pointed to."""
    listing = "val.txt" if name == "data" else f"{name}.txt"
    (root / listing).write_text("\n".join(val) + "\n")
    description = root / f"{name}.yaml"
    description.write_text(
        yaml.safe_dump({"path": str(root.resolve()), "train": "train.txt", "val": listing, "names": {0: "pill"}})
    )
    return description


def held_out(count: int, share: float, seed: int) -> set[int]:
    """Numbers of the `count` images that are kept from training: a fixed random `share` of them."""
    order = np.random.default_rng(seed).permutation(count)
    return set(order[: round(count * share)].tolist())


def prepare(config: dict[str, Any], data: Path, scenes: _Scenes, root: Path) -> Path:
    """Write the training folder `root` and return its data.yaml. Does nothing where that file exists already."""
    description = root / "data.yaml"
    if description.exists():
        return description
    settings, seed = config["data"], config["seed"]
    writer = _Writer(root, settings["long_side"])
    for source in settings["real"]:
        photos = coco_boxes(data / "detect" / source["folder"], source["drop"])
        keep_back = held_out(len(photos), source["hold_out"], seed)
        for number, (path, boxes) in enumerate(photos):
            picture = (read_rgb(path), boxes)
            split, repeat = ("val", 1) if number in keep_back else ("train", source["repeat"])
            writer.add("real", f"{source['folder']}-{path.stem}", partial(_same, picture), split, repeat)
            for part in range(source.get("bare", 0)):
                rng = np.random.default_rng([seed, zlib.crc32(path.name.encode()), part])
                if (bare := bare_crop(picture, rng)) is not None:
                    writer.add("bare", f"{source['folder']}-{path.stem}-{part}", partial(_same, bare), split)
    for kind, spec in settings["scenes"].items():
        keep_back = held_out(spec["count"], settings["held_out_scenes"], seed)
        for number in tqdm(range(spec["count"]), f"scenes: {kind}", mininterval=5):
            make = partial(scene_picture, scenes, kind, spec, seed, number)
            writer.add("scene", f"{kind}-{number:05d}", make, "val" if number in keep_back else "train")
    (root / "train.txt").write_text("\n".join(writer.lists["train"]) + "\n")
    return _describe(root, writer.lists["val"], "data")


def prepare_check(folder: Path, root: Path) -> Path:
    """Make a COCO folder readable for ultralytics under `root`, unchanged but for size; return its yaml."""
    writer = _Writer(root, 1024)
    for path, boxes in coco_boxes(folder):
        writer.add(folder.name, path.stem, partial(_same, (read_rgb(path), boxes)), "val")
    return _describe(root, writer.lists["val"], folder.name)
