#!/usr/bin/env node
// The `barograph` command, the same as everywhere.

import { load } from './native.js';

process.exitCode = load().command(['barograph', ...process.argv.slice(2)]);
