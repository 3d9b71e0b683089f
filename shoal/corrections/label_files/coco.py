"""COCO's JSON: images, categories and annotations (Lin et al. 2014, https://cocodataset.org).

An image has the labels of its annotations, whatever part of it they cover. `shoal export --as json`
writes the format.
"""

from __future__ import annotations

from shoal.corrections.labels import Label, LabelFile

TITLE = "COCO JSON"


def read(file: LabelFile) -> list[Label] | None:
    """The categories of each image."""
    content = file.json
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        return None
    categories = {category["id"]: str(category["name"]) for category in content["categories"]}
    names = {image["id"]: str(image["file_name"]) for image in content["images"]}
    labels = [
        (names[annotation["image_id"]], categories[annotation["category_id"]])
        for annotation in content["annotations"]
    ]
    labelled = {name for name, _ in labels}
    return labels + [(name, "") for name in names.values() if name not in labelled]
