"""Reports as Markdown: the number table with its goals, the edits, the ladder of stages."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Goal:
    """A figure of the summary, with what it must reach and what is aimed at."""

    key: str
    label: str
    must: float
    aim: float | None = None
    digits: int = 2
    less_is_better: bool = False

    def reached(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return True
        return value <= bound if self.less_is_better else value >= bound

    def verdict(self, value: float) -> str:
        if not self.reached(value, self.must):
            return "**missed**"
        return "aim" if self.aim is not None and self.reached(value, self.aim) else "must"


GOALS = (
    Goal("gmac", "cost of a frame, GMAC", 6, 4, less_is_better=True),
    Goal("identity_psnr", "left as it is: PSNR to the source, dB", 32, 35),
    Goal("psnr", "mean PSNR to the stylizer, dB", 26, 28.5),
    Goal("psnr_worst", "the same, worst edit, dB", 21),
    Goal("accuracy", "edit accuracy", 0.99, 1, 3),
    Goal("paraphrase_accuracy", "edit accuracy on kept-out paraphrases", 0.95, 0.99, 3),
    Goal("kept_of_teacher", "the student keeps of its teacher, least of the quality measures", 0.95, 1, 3),
    Goal("strength_correlation", "rank correlation of strength with s_T", 0.95, 1, 3),
    Goal("likeness_correlation", "rank correlation of likeness with s_I", 0.95, 1, 3),
    Goal("flicker", "flicker of the network alone, times the source's", 1.3, 1, less_is_better=True),
    Goal("flicker_stabilized", "flicker as the daemon runs (stability 0.5)", 1.3, 1, less_is_better=True),
    Goal("sharpness", "sharpness, in parts of the stylizer's", 0.85),
)

#: Quality measures of which a student keeps a part, all better when higher.
KEPT = ("psnr", "ssim", "accuracy", "paraphrase_accuracy", "sharpness", "clip_image", "clip_direction", "clip_frame",
        "pick_score")

#: The ladder: figure, heading, digits.
LADDER = (
    ("passes", "passes", 0), ("gmac", "GMAC", 2), ("psnr", "PSNR, dB", 2), ("psnr_worst", "worst edit, dB", 2),
    ("identity_psnr", "left as it is, dB", 2), ("ssim", "SSIM", 3), ("accuracy", "accuracy", 3),
    ("paraphrase_accuracy", "paraphrases", 3), ("strength_correlation", "s_T", 3), ("likeness_correlation", "s_I", 3),
    ("flicker", "flicker", 2), ("sharpness", "sharpness", 2), ("clip_image", "CLIP image", 3),
    ("clip_direction", "CLIP direction", 3), ("clip_frame", "CLIPFrame", 3), ("pick_score", "PickScore", 2),
)

#: The table of edits.
COLUMNS = (
    ("psnr", "PSNR, dB", 1), ("psnr_of_source", "doing nothing, dB", 1), ("ssim", "SSIM", 3),
    ("accuracy", "nearest", 2),
    ("paraphrase_psnr", "paraphrases, dB", 1), ("paraphrase_accuracy", "nearest", 2), ("sharpness", "sharpness", 2),
    ("strength_correlation", "s_T", 3), ("likeness_correlation", "s_I", 3), ("flicker", "flicker", 2),
    ("flicker_of_stylizer", "stylizer's", 2), ("flicker_stabilized", "stabilized", 2),
)


def kept(student: dict, teacher: dict) -> dict[str, float]:
    """The student's summary in parts of the teacher's, for each quality measure that both reports have.

    A teacher's figure that is not above 0 has no parts and is left out.
    """
    own, other = student["summary"], teacher["summary"]
    return {key: round(own[key] / other[key], 4) for key in KEPT if key in own and other.get(key, 0) > 0}


def with_teacher(student: dict, teacher: dict) -> dict:
    """The student's report with what it keeps of its teacher."""
    parts = kept(student, teacher)
    summary = student["summary"] | {"kept_of_teacher": min(parts.values())}
    return student | {"summary": summary, "teacher": teacher["name"], "kept_of_teacher": parts}


def missed(report: dict) -> list[Goal]:
    """The goals whose must is measured and not reached."""
    summary = report["summary"]
    return [goal for goal in GOALS if goal.key in summary and not goal.reached(summary[goal.key], goal.must)]


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(row: dict, key: str, digits: int) -> str:
    return f"{row[key]:.{digits}f}" if key in row else ""


def number_table(report: dict) -> str:
    """The goals with what was measured: `aim`, `must` or `missed`."""
    summary, rows = report["summary"], []
    for goal in GOALS:
        sign = "<=" if goal.less_is_better else ">="
        aim = "" if goal.aim is None else f"{sign} {goal.aim:g}"
        known = goal.key in summary
        rows.append([goal.label, f"{sign} {goal.must:g}", aim,
                     _cell(summary, goal.key, goal.digits) if known else "not measured",
                     goal.verdict(summary[goal.key]) if known else ""])
    return markdown_table(["measure", "must", "aim", "measured", "reached"], rows)


def edit_table(report: dict) -> str:
    columns = [column for column in COLUMNS if any(column[0] in row for row in report["edits"].values())]
    rows = [[edit, *(_cell(row, key, digits) for key, _, digits in columns)] for edit, row in report["edits"].items()]
    return markdown_table(["edit", *(heading for _, heading, _ in columns)], rows)


def pumping(report: dict) -> str:
    """What the edits of whole pictures change when something comes before the camera (pumping.py), a line each."""
    labels = (("pumping", "the network"), ("pumping_stabilized", "as on video"), ("pumping_of_stylizer", "the stylizer"))
    return "\n".join(
        f"Pumping of {edit}, levels: " + ", ".join(f"{label} {row[key]:.1f}" for key, label in labels if key in row) + "."
        for edit, row in report["edits"].items() if "pumping" in row)


def missed_prompts(report: dict) -> str:
    """Each kept-out prompt that missed on some photograph, and what came out instead."""
    lines = []
    for edit, row in report["edits"].items():
        for prompt, nearest in row.get("paraphrases_missed", {}).items():
            wrong = [name for name in nearest if name != edit]
            became = ", ".join(sorted(set(wrong)))
            lines.append(f'- {edit}: "{prompt}": {len(wrong)} of {len(nearest)} came out as {became}')
    return "\n".join(lines) or "none"


def curves(report: dict) -> str:
    """Mean strength at each s_T, and likeness to the source (dB) at each s_I."""
    edits = {edit: row for edit, row in report["edits"].items() if "strength" in row}
    if not edits:
        return ""
    first = next(iter(edits.values()))
    head = ["edit", *(f"s_T {s}" for s in first["strength"]), *(f"s_I {s}" for s in first["likeness"])]
    rows = [[edit, *(f"{v:.2f}" for v in row["strength"].values()), *(f"{v:.1f}" for v in row["likeness"].values())]
            for edit, row in edits.items()]
    return markdown_table(head, rows)


def markdown(report: dict) -> str:
    """The whole report."""
    width, height = report["size"]
    summary = report["summary"]
    asides = [f"Worst edit: {summary['worst_edit']}. Softest: {summary['softest_edit']}, "
              f"{summary['sharpness_worst']:.2f} of the stylizer's gradient energy.",
              f"The stylizers' own flicker: {summary['flicker_of_stylizer']:.2f} times the source's."]
    if "flicker_stabilized" in summary:
        asides.append(f"Flicker with the stabilizer: {summary['flicker_stabilized']:.2f}.")
    if pumping(report):
        asides.append(pumping(report))
    if "kept_of_teacher" in report:
        parts = ", ".join(f"{key} {value:.3f}" for key, value in report["kept_of_teacher"].items())
        asides.append(f"Kept of {report['teacher']}: {parts}.")
    return "\n\n".join([
        f"# {report['name']}", f"{', '.join(report['photographs'])} at {width} x {height}.", number_table(report),
        "\n".join(asides), "## Edits", edit_table(report), "## Guidance", curves(report), "## Paraphrases missed",
        missed_prompts(report)]) + "\n"


def ladder(reports: list[dict]) -> str:
    """A row for each stage, and the last one in parts of those before it."""
    columns = [column for column in LADDER if any(column[0] in report["summary"] for report in reports)]
    rows = [[report["name"], *(_cell(report["summary"], key, digits) for key, _, digits in columns)]
            for report in reports]
    stages = markdown_table(["stage", *(heading for _, heading, _ in columns)], rows)
    last, before = reports[-1], reports[:-1]
    if not before:
        return stages + "\n"
    keys = list(kept(last, before[0]))
    parts = [[earlier["name"], *(_cell(kept(last, earlier), key, 3) for key in keys)] for earlier in before]
    return f"{stages}\n\nWhat *{last['name']}* keeps of each:\n\n{markdown_table(['stage', *keys], parts)}\n"
