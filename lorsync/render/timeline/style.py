"""The colours and letters of the picture, for a light and a dark ground.

Every colour of a text or a mark stands out from its ground by at least 4.5 to 1 (WCAG 2.2, 1.4.3);
lines and shades are weaker, since nothing hangs on them alone.
"""

from collections.abc import Mapping
from typing import Final

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, '
    '"DejaVu Sans", sans-serif'
)

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#ffffff",
    "ink": "#18212c",
    "quiet": "#566271",
    "rule": "#e3e7ec",
    "month": "#edf0f4",
    "away": "#e4e8ee",
    "stripe": "#c9d0da",
    "writing": "#dbe3f6",
    "now": "#c2410c",
    "contact": "#2f54c8",
    "due": "#a3135f",
    "good": "#0f7048",
    "bad": "#b42318",
    "task": "#8a5200",
}

DARK: Final[Mapping[str, str]] = {
    "paper": "#12161c",
    "ink": "#e8edf3",
    "quiet": "#a3afbd",
    "rule": "#2a323d",
    "month": "#20262f",
    "away": "#252c36",
    "stripe": "#3d4855",
    "writing": "#26345c",
    "now": "#fb923c",
    "contact": "#93b0ff",
    "due": "#f58bc4",
    "good": "#5fd39b",
    "bad": "#ff8d80",
    "task": "#efb454",
}

_HUES = ("contact", "due", "good", "bad", "task")


def variables(palette: Mapping[str, str]) -> str:
    """Return a palette as custom properties, for a page."""
    return "".join(f"--{name}:{value};" for name, value in palette.items())


def svg_style() -> str:
    """Return the style of an SVG file: plain colours, since few viewers know custom properties."""
    dark = f"@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"
    return f"{_LETTERS}{_colours(LIGHT)}{dark}"


_LETTERS = (
    f"text{{font-family:{FONT};font-size:12px}}"
    ".title{font-size:20px;font-weight:650;letter-spacing:-.01em}"
    ".name{font-size:13.5px;font-weight:600}"
    ".small{font-size:11.5px}"
    ".why{font-size:11px;font-style:italic}"
    ".why,.tick{paint-order:stroke;stroke-width:6;stroke-linejoin:round}"
    ".year{font-size:12px;font-weight:650}"
    ".today{font-weight:650}"
    ".rule,.month{fill:none;stroke-width:1}"
    ".now{fill:none;stroke-width:1.6}"
    ".dots{fill:none;stroke-width:1.3}"
    ".passed{stroke-dasharray:2.4 2.2}"
    ".dismissed{opacity:.75}"
)


def _colours(of: Mapping[str, str]) -> str:
    hues = "".join(f".{hue}{{color:{of[hue]}}}" for hue in _HUES)
    return (
        f".paper{{fill:{of['paper']}}}"
        f"text{{fill:{of['ink']}}}"
        f".quiet{{fill:{of['quiet']}}}"
        f".rule{{stroke:{of['rule']}}}.month{{stroke:{of['month']}}}"
        f".tick{{stroke:{of['paper']}}}"
        f".why{{stroke:{of['away']};fill:{of['ink']}}}"
        f".stripe{{stroke:{of['stripe']};stroke-width:1}}"
        f".away{{fill:{of['away']}}}.writing{{fill:{of['writing']}}}"
        f".now{{stroke:{of['now']}}}.today{{fill:{of['now']}}}"
        f".dots{{stroke:{of['quiet']}}}.used{{fill:{of['quiet']}}}"
        f"{hues}"
        f".mark{{fill:{of['paper']};stroke:currentColor}}"
        f".done,.overdue{{fill:currentColor;stroke:{of['paper']}}}"
    )


def page_style() -> str:
    """Return the style sheet; only its colours and letters are put in here."""
    lines = (line.strip() for line in _RULES.splitlines())
    return (
        f":root{{color-scheme:light dark;{variables(LIGHT)}--font:{FONT}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}"
        f"{''.join(lines)}"
        # Paper is white, whatever the screen was.
        f"@media print{{:root{{color-scheme:light;{variables(LIGHT)}}}}}"
    )


_RULES = """
*{box-sizing:border-box}
html{font:15px/1.5 var(--font);color:var(--ink);background:var(--paper);
-webkit-text-size-adjust:100%;print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{margin:0 auto;max-width:1240px;padding:28px 32px 56px}
h1{margin:0;font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;
overflow-wrap:anywhere}
h2{margin:44px 0 10px;font-size:1.15rem;font-weight:650;letter-spacing:-.005em}
header p{margin:4px 0 22px;color:var(--quiet);overflow-wrap:anywhere}
.shapes{position:absolute;width:0;height:0}
.stripe{stroke:var(--stripe);stroke-width:1}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap;margin:0}
.skip{position:absolute;left:-9999px;padding:6px 12px;background:var(--ink);color:var(--paper);
border-radius:6px;z-index:30}
.skip:focus{left:16px;top:8px}
a:focus-visible,h2:focus-visible{outline:2.5px solid var(--now);outline-offset:2px;
border-radius:6px}
.chart{position:relative;padding-top:60px;--names:210px;--row:26px}
.plot{position:relative}
.scale{position:absolute;inset:0 0 0 0;padding-left:var(--names);pointer-events:none}
.scale .plot{height:100%}
.scale span{position:absolute;white-space:nowrap;font-size:.8rem;line-height:1}
.scale b{position:relative;z-index:1;font-weight:inherit;background:var(--paper);padding:1px 3px}
.year{top:22px;font-weight:650;padding-left:2px}
.month{top:42px;bottom:0;padding-left:2px;color:var(--quiet);border-left:1px solid var(--month)}
.month.bare{top:54px}
.now{z-index:1;top:16px;bottom:0;width:2px;margin-left:-1px;background:var(--now)}
.today{top:0;transform:translateX(-50%);font-weight:650;color:var(--now)}
.today.before{transform:none;margin-left:-1px}
.today.after{transform:translateX(-100%);margin-left:1px}
.today.off{transform:none;left:0}
.today.off.after{left:auto;right:0}
.narrow{display:none}
.lane{display:grid;grid-template-columns:var(--names) minmax(0,1fr);
border-top:1px solid var(--rule)}
.lane:last-of-type{border-bottom:1px solid var(--rule)}
.who{padding:10px 18px 10px 0;align-self:center;min-width:0}
.who h3{margin:0;font-size:.95rem;line-height:1.3;font-weight:620;overflow-wrap:anywhere;
display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
.who p{margin:1px 0 0;font-size:.8rem;color:var(--quiet)}
.dots{display:inline-flex;gap:3px;margin-left:6px;vertical-align:-1px}
.dots i{width:9px;height:9px;border:1.4px solid var(--quiet);border-radius:50%}
.dots i.used{background:var(--quiet)}
.dots i.meant{background:radial-gradient(circle,var(--quiet) 0 1.6px,transparent 2.1px)}
.lane .plot{min-height:calc(var(--w)*var(--row) + 22px)}
.lane ol{list-style:none;margin:0;padding:0}
.lane li{position:absolute;top:calc(50% + (var(--row)*(var(--r) - var(--rows)/2)));
margin-left:-13px;z-index:2;--r:var(--w);width:26px;height:26px}
.lane{--rows:var(--w)}
.mark{color:var(--ink);fill:var(--paper);stroke:currentColor}
.contact{color:var(--contact)}.due{color:var(--due)}.good{color:var(--good)}
.bad{color:var(--bad)}.task{color:var(--task)}
.done,.overdue{fill:currentColor;stroke:var(--paper)}
.passed{stroke-dasharray:2.4 2.2}
a.mark{display:grid;place-items:center;width:26px;height:26px;text-decoration:none;
border-radius:7px;position:relative}
.dismissed>svg{opacity:.75}
.mark svg{display:block;overflow:visible}
.tip{position:absolute;z-index:20;bottom:100%;left:0;width:max-content;max-width:300px;
padding:7px 11px;border-radius:8px;background:var(--ink);color:var(--paper);font-size:.82rem;
line-height:1.4;opacity:0;visibility:visible;pointer-events:none;overflow-wrap:anywhere;
text-align:left}
.tip.left{left:auto;right:0}
a.mark:hover,a.mark:focus{z-index:20}
a.mark:hover .tip,a.mark:focus .tip{opacity:1;pointer-events:auto}
.lane li:hover,.lane li:focus-within{z-index:20}
.away{position:absolute;top:0;bottom:0;
background:repeating-linear-gradient(135deg,var(--away) 0 5px,var(--stripe) 5px 6px)}
.why{position:absolute;z-index:1;top:0;bottom:0;display:grid;place-items:center;
container-type:inline-size;pointer-events:none}
.why>bdi{display:none;max-width:96%;font-size:.75rem;font-style:italic;line-height:1.3;
background:var(--away);padding:0 6px;border-radius:4px;
overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
@container (min-width:84px){.why>bdi{display:block}}
.writing{position:absolute;top:calc(50% + var(--row)*(.5 - var(--rows)/2) - 3px);height:6px;
border-radius:3px;background:var(--writing)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:7px 20px;margin:18px 0 0;padding:0;
font-size:.82rem;color:var(--quiet)}
.legend li{display:flex;align-items:center;gap:7px}
.sample{position:static;width:20px;height:18px;flex:none}
.sample.writing{height:6px}
.notes ul{margin:0;padding-left:1.1em;max-width:84ch}
.notes li{margin:5px 0;overflow-wrap:anywhere}
.notes em{color:var(--quiet);font-style:normal}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-size:.8rem;font-weight:600;color:var(--quiet)}
th,td{padding:7px 16px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top;
overflow-wrap:anywhere}
td:first-child{white-space:nowrap;font-variant-numeric:tabular-nums}
td:last-child{overflow-wrap:normal}
td .mark{display:inline-block;vertical-align:-4px;margin-right:4px}
td small{font-size:.82rem;color:var(--quiet)}
tr:target{background:var(--month);box-shadow:-8px 0 0 var(--month),-11px 0 0 var(--now)}
@media screen and (max-width:779px){
body{padding:20px 16px 40px}
h1{font-size:1.45rem}
.wide{display:none}.narrow{display:block}
.chart{--names:0px}
.lane{display:block;--rows:var(--n);padding:9px 0 5px}
.who{padding:0;display:flex;flex-wrap:wrap;align-items:baseline;gap:0 10px}
.who p{margin:0}
.who h3,.who p:not(.unseen){position:relative;z-index:2;background:var(--paper);padding-right:5px}
.lane .plot{min-height:calc(var(--n)*var(--row) + 10px)}
.lane li{--r:var(--n)}
.tip{max-width:44vw}
td:first-child{white-space:normal}
table{font-size:.86rem;table-layout:fixed}
th:nth-child(1){width:21%}th:nth-child(2){width:23%}
th:nth-child(3){width:35%}th:nth-child(4){width:21%}
th,td{padding-right:6px}
}
@media print{
@page{size:A4 landscape;margin:10mm}
html{font-size:11px}
body{max-width:none;padding:0}
.skip,.tip{display:none}
header p{margin-bottom:8px}
.chart{--row:22px;--names:170px}
.lane .plot{min-height:calc(var(--w)*var(--row) + 12px)}
.who{padding:4px 12px 4px 0}
.lane,tr,.notes li,.legend{break-inside:avoid}
.legend{margin-top:9px}
h2{break-after:avoid;margin:14px 0 4px}
.notes ul{max-width:none}
.notes li{margin:2px 0}
.dates{break-before:page}
.dates h2{margin-top:0}
th:nth-child(2){width:24%}th:nth-child(3){width:48%}
.sheet{columns:2;column-gap:12mm}
.sheet table{font-size:9.5px}
.sheet small,.sheet th{font-size:8.5px}
th,td{padding:2px 8px 2px 0}
td .mark svg{width:13px;height:13px}
td .mark{vertical-align:-3px}
td small{display:inline;margin-left:6px}
td br{display:none}
}
"""
