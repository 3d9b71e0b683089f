"""The texts of the interactive map."""

from __future__ import annotations

from shoal.reports.wording import Wording


def texts(wording: Wording) -> dict[str, str]:
    """The texts of the page as it is loaded."""
    return {
        "title": wording("Map of the images"),
        "introduction": wording(
            "Every dot is an image, in the colour of its cluster. Images that the model finds "
            "alike are near each other."
        ),
        "without_scripts": wording("The map needs JavaScript, which is off in this browser."),
        "search": wording("Find an image by its name"),
        "find": wording("Find"),
        "zoom_in": wording("Zoom in"),
        "zoom_out": wording("Zoom out"),
        "whole": wording("Show the whole map"),
        "hint": wording(
            "Zoom with the wheel or two fingers until the dots become pictures, drag to move, "
            "click an image to keep it in view, and its picture to enlarge it. On the keyboard: "
            "arrows go from image to image, Enter enlarges, + and − zoom, 0 shows the whole map, "
            "Escape clears."
        ),
        "enlarge": wording("Enlarge"),
        "clusters": wording("Clusters"),
        "show_all": wording("Show all"),
        "gallery": wording("Gallery"),
        "sort": wording("Order"),
        "typical": wording("most typical first"),
        "uncertain": wording("least certain first"),
        "in_order": wording("as in the pile"),
        "previous": wording("Previous page"),
        "next": wording("Next page"),
    }


def spoken(wording: Wording) -> dict[str, str]:
    """Templates that the scripts fill in: each placeholder stands for itself."""
    return {
        "cluster": wording("cluster {number}", number="{number}"),
        "confidence": wording("confidence {value}", value="{value}"),
        "image": wording(
            "image {name}, {cluster}, confidence {value}",
            name="{name}", cluster="{cluster}", value="{value}",
        ),
        "page": wording(
            "{first} to {last} of {total}", first="{first}", last="{last}", total="{total}"
        ),
        "found": wording("{position} of {total}", position="{position}", total="{total}"),
        "not_found": wording("no image has this name"),
        "filtered": wording("{shown} of {total} images", shown="{shown}", total="{total}"),
    }  # fmt: skip
