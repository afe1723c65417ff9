// Compares the files of the vectors with the values that the TypeScript compiler wrote.
//
//	node compare.mjs VECTORS FOLDER
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [vectors, compiled] = process.argv.slice(2);
const names = readdirSync(compiled).filter((name) => name.endsWith("_file.js"));
assert.equal(names.length, readdirSync(join(vectors, "schema")).length);
for (const name of names) {
	const { file } = await import(pathToFileURL(join(compiled, name)).href);
	assert.deepEqual(JSON.parse(JSON.stringify(file)), JSON.parse(readFileSync(join(vectors, name.replace("_file.js", ".json")), "utf8")));
}
