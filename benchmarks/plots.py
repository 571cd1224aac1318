"""Plots as PNG files."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.report import Report


def draw(report: Report, path: Path) -> None:
    """Write the report's plot, if it has one."""
    plot = report.plot
    if plot is None:
        return
    figure = Figure(figsize=(8, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if all(len(values) == 1 for values in plot.series.values()):
        bars = axes.barh(list(plot.series), [values[0] for values in plot.series.values()])
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
        axes.invert_yaxis()
        axes.set_xlabel(plot.y_label)
        axes.margins(x=0.15)
    else:
        for name, values in plot.series.items():
            axes.plot(plot.x or range(1, len(values) + 1), values, label=name, marker="." if len(values) < 40 else "")
        axes.set_xlabel(plot.x_label)
        axes.set_ylabel(plot.y_label)
        axes.set_yscale("log" if plot.log_y else "linear")
        if not plot.log_y:
            axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    axes.set_title(report.title)
    figure.savefig(path)
