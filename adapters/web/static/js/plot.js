// A plot over time, in the page's colours.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { element } from "./element.js";

const HEIGHT = 150; // pixels
const COLOURS = ["--accent", "--code-title"];

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Plot {
  // `series` are {key, label, scale}; `unit` is written behind the numbers.
  constructor(title, series, unit) {
    this.series = series;
    this.unit = unit;
    const legend = element("span", { class: "legend" });
    if (series.length > 1) series.forEach((each, index) => legend.append(element("i", { class: index ? "second" : "first" }), each.label));
    this.place = element("div");
    this.element = element("figure", { class: "plot", role: "img", "aria-label": title }, element("h3", {}, title, legend), this.place);
    this.element.style.margin = "0";
    new ResizeObserver(() => this.drawn?.setSize({ width: this.place.clientWidth, height: HEIGHT })).observe(this.place);
  }

  show(samples) {
    const data = [samples.map((each) => each.time), ...this.series.map(({ key }) => samples.map((each) => each[key] ?? null))];
    if (this.drawn) this.drawn.setData(data);
    else this.#draw(data);
  }

  // In other colours, when the theme has changed.
  redraw() {
    if (!this.drawn) return;
    const { data } = this.drawn;
    this.drawn.destroy();
    this.#draw(data);
  }

  #draw(data) {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px sans-serif" };
    this.drawn = new uPlot({
      width: this.place.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [{ ...axis, grid: { show: false }, space: 70, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 56, values: (_, ticks) => ticks.map((each) => `${each}${this.unit}`) }],
      series: [{}, ...this.series.map((_, index) => ({ stroke: colour(COLOURS[index]), width: 2, spanGaps: true, points: { show: false } }))],
    }, data, this.place);
  }
}
