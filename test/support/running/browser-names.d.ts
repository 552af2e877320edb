// The names of the DOM that the types of playwright-core mention. The types of the DOM itself would
// replace those of the runtime, such as the streams of its processes.

interface Node {}
interface Element extends Node {}
interface HTMLElement extends Element {}
interface SVGElement extends Element {}
interface HTMLElementTagNameMap {}
