// Moves a line along the chart, by pointer or keys, and says what each sample is. Without it nothing is missing but that.
const told = JSON.parse(document.getElementById("samples").textContent);
const chart = document.getElementById("chart");
const readout = document.getElementById("readout");
const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
const box = chart.viewBox.baseVal;
line.setAttribute("class", "cursor");
line.setAttribute("y1", 34);
line.setAttribute("y2", box.height - 26);
line.setAttribute("visibility", "hidden");
chart.append(line);
let place = Math.min(told.marked, told.x.length - 1);

// On a narrow screen: the explained moment in the middle of what is in sight.
function reveal(frame) {
  const whole = chart.getBoundingClientRect();
  const inside = frame.getBoundingClientRect();
  frame.scrollLeft += whole.left + told.x[place] / box.width * whole.width - (inside.left + inside.width / 2);
}
reveal(chart.parentElement);

function show(index) {
  place = Math.max(0, Math.min(told.x.length - 1, index));
  line.setAttribute("x1", told.x[place]);
  line.setAttribute("x2", told.x[place]);
  line.setAttribute("visibility", "visible");
  readout.textContent = told.said[place];
}

function nearest(x) {
  let low = 0;
  let high = told.x.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (told.x[middle] < x) low = middle + 1; else high = middle;
  }
  return low > 0 && x - told.x[low - 1] < told.x[low] - x ? low - 1 : low;
}

chart.addEventListener("pointermove", event => {
  const shown = chart.getBoundingClientRect();
  show(nearest((event.clientX - shown.left) / shown.width * box.width));
});
chart.addEventListener("keydown", event => {
  const stride = event.shiftKey ? 20 : 1;
  const targets = {
    ArrowLeft: place - stride,
    ArrowRight: place + stride,
    Home: 0,
    End: told.x.length - 1,
    PageUp: told.peaks.filter(peak => peak < place).pop() ?? place,
    PageDown: told.peaks.find(peak => peak > place) ?? place,
  };
  if (event.key in targets) {
    event.preventDefault();
    show(targets[event.key]);
  }
});
