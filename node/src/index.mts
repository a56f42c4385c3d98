// The same module for `import`: one implementation, so that classes are equal however they are reached.
export * from './index.js';
