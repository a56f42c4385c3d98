import fs, { readFile as read, writeFile } from 'fs';
import * as path from "./path.js";
import './side-effect';
export { a, b as c } from '../other';
export * from './all';
export * as ns from './ns';
const util = require('util');
const { inspect, format: fmt } = require('./util');
const join = require('path').join;
require('boot');
const lazy = await import('./lazy');

export default class Widget extends Base.Thing {
  #secret = 1;
  size = 2;
  handler = () => { this.go(); };
  constructor(x) { super(x); }
  get area() { return compute(this.size, new Shape.Box()); }
  #hide() {}
}
export const LIMIT = 5, make = (n) => { const local = n; return new Widget(local); };
let state = 0;
function* gen() { yield nested(); function nested() {} }
function later() {}
export { later, gen as generator };
(() => { const invisible = 1; invisible(); })();
exports.helper = function () { return state; };
module.exports.other = class {};
Widget.prototype.draw = function () {};
const table = { run() {}, stop: () => {}, size: 3 };
const view = <Panel><Row.Cell a={go()} /><div /></Panel>;
tag`text`;
module.exports = { table };
