"use strict";
/** Finds and loads the native part. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.platform = platform;
exports.load = load;
const node_fs_1 = require("node:fs");
const node_path_1 = require("node:path");
/** The platform as the packages name it, for example `linux-x64-gnu`. */
function platform() {
    const name = `${process.platform}-${process.arch}`;
    if (process.platform !== 'linux')
        return name;
    const report = process.report?.getReport();
    return `${name}-${report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}
/** Loads the native part: the one built from sources beside this package, or the platform's package. */
function load(at = platform(), require = module.require.bind(module)) {
    const file = `barograph.${at}.node`;
    const built = (0, node_path_1.join)(__dirname, '..', file);
    const wanted = `@barograph/${at}`;
    try {
        return ((0, node_fs_1.existsSync)(built) ? require(built) : require(wanted));
    }
    catch (cause) {
        const tried = (0, node_fs_1.existsSync)(built) ? built : wanted;
        throw new Error(`barograph has no native part for ${at}: \`${tried}\` could not be loaded. ` +
            `Where the package is published for this platform, repair it with ` +
            `\`npm install --include=optional ${wanted}\` (a lock file from another platform drops it: ` +
            `remove node_modules and package-lock.json, then \`npm install\`); from sources, run ` +
            `\`npm run native\` in the folder node.`, { cause });
    }
}
