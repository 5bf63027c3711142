// The text with its marks: places of findings, and the parts that decide about a pair.

const area = document.getElementById("text");
const marks = document.getElementById("marks");
const list = document.getElementById("findings");
let findings = [];
let lit = [];

area.addEventListener("scroll", () => (marks.scrollTop = area.scrollTop));

export function tell(found) {
  findings = found;
  list.replaceChildren(...found.map(item));
  draw();
}

export function light(places) {
  lit = places;
  draw();
}

function item(finding) {
  const made = document.createElement("li");
  made.className = finding.severity;
  made.append(`${finding.code}: ${finding.title}${finding.label ? `: ${finding.label}` : ""}`);
  for (const more of [finding.note, finding.help].filter(Boolean)) {
    made.append(Object.assign(document.createElement("small"), { textContent: more }));
  }
  return made;
}

// Places count code points, JavaScript's texts UTF-16 units.
function draw() {
  const points = Array.from(area.value);
  const kinds = points.map(() => "");
  const fill = (start, stop, kind) => kinds.fill(kind, start, Math.max(stop, start + 1));
  for (const place of lit) fill(place.start, place.stop, "lit");
  for (const found of findings) if (found.start !== null) fill(found.start, found.stop, found.severity);
  const parts = [];
  for (let at = 0; at < points.length; ) {
    let stop = at;
    while (stop < points.length && kinds[stop] === kinds[at]) stop++;
    const text = points.slice(at, stop).join("");
    const made = kinds[at] ? document.createElement("mark") : document.createTextNode(text);
    if (kinds[at]) Object.assign(made, { className: kinds[at], textContent: text });
    parts.push(made);
    at = stop;
  }
  marks.replaceChildren(...parts, "\n");
}
