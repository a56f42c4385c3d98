import type { A, B as Bee } from './types';
import fs = require('fs');
import Short = Deep.Name;
export interface Shape extends Base, Gen<string> { size: number; area(scale: Scale): number }
export abstract class Box<T> implements Shape, Other<T> {
  private inner: Inner.Part;
  protected static count = 0;
  readonly open: T;
  constructor(private x: number) {}
  abstract draw(): void;
  private hide() { return this.open.call<T>(1); }
}
export enum Color { Red, Green = 2 }
const enum Hidden { A }
export type Pair = [Shape, Box<Color>];
namespace Deep { export const Name = 1; const no = 2; export function inside() {} }
declare module "ambient" { export function f(): void; }
export function over(a: string): void;
export function over(a: any) { helper(a as Pair); }
export default over;
