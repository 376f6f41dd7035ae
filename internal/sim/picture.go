package sim

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Picture draws turnaround against load as an SVG: for each number of workers and run length, the P95 of every strategy over the rates at
// which it was played. Where it was unstable there is a cross in the strip above. Results whose source is no Workload are left out. It
// reads on light and on dark ground, and without colour.
func Picture(title string, results []Result) string {
	panels, names := panelsOf(results)
	if len(panels) == 0 {
		return ""
	}
	across := min(len(panels), 3)
	if len(panels) == 4 {
		across = 2
	}
	down := (len(panels) + across - 1) / across
	strip := float64(len(names))*stripRow + 6
	tall := panelTop + strip + plotHeight + panelFoot
	perRow := max((max(across*panelWidth, narrowest)-2*margin)/legendWidth, 1)
	legend := (len(names) + perRow - 1) / perRow
	wide, high := max(across*panelWidth, narrowest), int(titleHeight+float64(down)*tall)+legend*legendRow+margin
	d := &drawing{names: names, strip: strip}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		wide, high, wide, high, html.EscapeString(title))
	d.add(`<style>%s</style>`, style)
	d.add(`<rect class="ground" width="%d" height="%d"/>`, wide, high)
	d.text(margin, 26, "title", title)
	d.text(margin, 44, "small", sayPicture)
	for i, p := range panels {
		d.panel(p, float64(i%across*panelWidth), titleHeight+float64(i/across)*tall)
	}
	for i, name := range names {
		x, y := float64(margin+i%perRow*legendWidth), float64(high-legend*legendRow+i/perRow*legendRow-4)
		d.add(`<path class="line %s" d="M%.1f %.1fh26"/>`, class(name), x, y)
		d.mark(name, x+13, y)
		d.text(x+34, y+4, "label", name)
	}
	d.add(`</svg>`)
	return strings.Join(d.lines, "\n") + "\n"
}

const (
	margin      = 16
	titleHeight = 58.0
	panelWidth  = 330
	narrowest   = 2 * panelWidth // for what stands on top
	panelTop    = 26.0
	panelLeft   = 46.0
	plotWidth   = panelWidth - panelLeft - 22
	plotHeight  = 190.0
	panelFoot   = 46.0
	stripRow    = 9.0
	legendWidth = 118
	legendRow   = 20
)

// style gives every strategy a colour, on light ground and on dark; lander's line is the heavy one.
const style = `
text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.head{font-size:12px;font-weight:600}.label{font-size:12px}.small{font-size:11px;fill:#59636e}
.ground{fill:#ffffff}.axis{stroke:#818b98;fill:none}.grid{stroke:#d1d9e0;fill:none}.strip{fill:#f0f2f5}
.line{fill:none;stroke-width:1.6}.mark{stroke-width:1.4}.lander{stroke-width:3}
.lander{stroke:#0969da}.mark.lander{fill:#0969da}.serial{stroke:#6e7781}.mark.serial{fill:#6e7781}.batch{stroke:#bc4c00}.mark.batch{fill:#bc4c00}
.pool{stroke:#9a6700}.mark.pool{fill:#9a6700}.optimistic{stroke:#cf222e}.mark.optimistic{fill:#cf222e}.windowed{stroke:#8250df}.mark.windowed{fill:#8250df}
.best-first{stroke:#1a7f37}.mark.best-first{fill:#1a7f37}.oracle{stroke:#1f2328;stroke-dasharray:2 3}.mark.oracle{fill:#1f2328;stroke-dasharray:none}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.small{fill:#9198a1}.ground{fill:#0d1117}.axis{stroke:#7d8590}.grid{stroke:#2a313a}.strip{fill:#161b22}
.lander{stroke:#58a6ff}.mark.lander{fill:#58a6ff}.serial{stroke:#9198a1}.mark.serial{fill:#9198a1}.batch{stroke:#f0883e}.mark.batch{fill:#f0883e}
.pool{stroke:#d29922}.mark.pool{fill:#d29922}.optimistic{stroke:#ff7b72}.mark.optimistic{fill:#ff7b72}.windowed{stroke:#bc8cff}.mark.windowed{fill:#bc8cff}
.best-first{stroke:#3fb950}.mark.best-first{fill:#3fb950}.oracle{stroke:#e6edf3}.mark.oracle{fill:#e6edf3}
}`

// shapes are drawn around 0 0, so that nobody needs the colours.
var shapes = map[string]string{
	"lander": "M-4.5-4.5h9v9h-9z", "serial": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "batch": "M0-5L5 4H-5z", "pool": "M0 5L5-4H-5z",
	"optimistic": "M0-5L5 0L0 5L-5 0z", "windowed": "M-5-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z", "best-first": "M-5 0L0-3L5 0L0 3z", "oracle": "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z",
}

// class is the name of a strategy as styles know it.
func class(name string) string {
	if shapes[name] == "" {
		return "serial"
	}
	return name
}

// panel is what was played with one number of workers and one run length.
type panel struct {
	workload Workload
	rates    []float64
	lines    map[string][]point // by strategy
	top      float64
}

type point struct {
	rate     float64
	unstable bool
	p95      Figure
}

func panelsOf(results []Result) (panels []panel, names []string) {
	for _, r := range results {
		w, ok := r.Source.(Workload)
		if !ok {
			continue
		}
		same := func(p panel) bool { return p.workload.Workers == w.Workers && p.workload.Length == w.Length }
		i := slices.IndexFunc(panels, same)
		if i < 0 {
			i = len(panels)
			panels = append(panels, panel{workload: w, lines: map[string][]point{}, top: 3})
		}
		p, name := &panels[i], r.Strategy.Name()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if !slices.Contains(p.rates, w.Rate) {
			p.rates = append(p.rates, w.Rate)
		}
		at := point{rate: w.Rate, unstable: r.Unstable() > 0, p95: r.Figure(func(o Outcome) float64 { return o.P95 })}
		p.lines[name] = append(p.lines[name], at)
		if !at.unstable {
			p.top = max(p.top, at.p95.Max)
		}
	}
	for i := range panels {
		slices.Sort(panels[i].rates)
		for _, line := range panels[i].lines {
			slices.SortStableFunc(line, func(a, b point) int { return cmp.Compare(a.rate, b.rate) })
		}
	}
	return panels, names
}

type drawing struct {
	names []string
	strip float64
	lines []string
}

func (d *drawing) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *drawing) text(x, y float64, class, text string) {
	d.add(`<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y, html.EscapeString(text))
}

func (d *drawing) mark(name string, x, y float64) {
	d.add(`<path class="mark %s" transform="translate(%.1f %.1f)" d="%s"/>`, class(name), x, y, cmp.Or(shapes[name], shapes["serial"]))
}

// panel draws one panel, both axes logarithmic.
func (d *drawing) panel(p panel, x0, y0 float64) {
	left, top := x0+panelLeft, y0+panelTop+d.strip
	lowest, highest := p.rates[0], p.rates[len(p.rates)-1]
	x := func(rate float64) float64 {
		if lowest == highest {
			return left + plotWidth/2
		}
		return left + 8 + (plotWidth-16)*math.Log(rate/lowest)/math.Log(highest/lowest)
	}
	y := func(v float64) float64 { return top + plotHeight*(1-math.Log(max(v, 1))/math.Log(p.top*1.05)) }
	d.text(left, y0+14, "head", sayPanel(p.workload))
	d.add(`<rect class="strip" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, left, y0+panelTop-4, float64(plotWidth), d.strip)
	d.text(x0+4, y0+panelTop+d.strip/2, "small", sayUnstable)
	for _, v := range []float64{1, 2, 3, 5, 10, 20, 30, 50, 100} {
		if v <= p.top*1.05 {
			d.add(`<path class="grid" d="M%.1f %.1fh%.1f"/>`, left, y(v), float64(plotWidth))
			d.add(`<text class="small" text-anchor="end" x="%.1f" y="%.1f">%g</text>`, left-6, y(v)+4, v)
		}
	}
	last := math.Inf(-1)
	for _, rate := range p.rates {
		d.add(`<path class="axis" d="M%.1f %.1fv4"/>`, x(rate), top+plotHeight)
		if x(rate)-last >= 22 {
			last = x(rate)
			d.add(`<text class="small" text-anchor="middle" x="%.1f" y="%.1f">%g</text>`, last, top+plotHeight+16, rate)
		}
	}
	d.add(`<path class="axis" d="M%.1f %.1fv%.1fh%.1f"/>`, left, top, plotHeight, float64(plotWidth))
	d.add(`<text class="small" text-anchor="middle" x="%.1f" y="%.1f">%s</text>`, left+plotWidth/2, top+plotHeight+32, html.EscapeString(sayRate))
	for i, name := range slices.Backward(d.names) { // the first one is drawn over the others
		path, pen := "", "M"
		for _, at := range p.lines[name] {
			if at.unstable {
				pen = "M"
				d.add(`<path class="line %s" style="stroke-width:1.6;stroke-dasharray:none" d="M%.1f %.1fl6 6m0-6l-6 6"/>`,
					class(name), x(at.rate)-3, y0+panelTop-2+float64(i)*stripRow)
				continue
			}
			path += fmt.Sprintf("%s%.1f %.1f", pen, x(at.rate), y(at.p95.Mean))
			pen = "L"
		}
		if path != "" {
			d.add(`<path class="line %s" d="%s"/>`, class(name), path)
		}
		for _, at := range p.lines[name] {
			if !at.unstable {
				d.add(`<path class="line %s" style="stroke-width:1;stroke-dasharray:none" d="M%.1f %.1fV%.1f"/>`,
					class(name), x(at.rate), y(at.p95.Min), y(at.p95.Max))
				d.mark(name, x(at.rate), y(at.p95.Mean))
			}
		}
	}
}
