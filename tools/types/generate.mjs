// Writes types for the schemas of the vectors to a folder: in TypeScript with
// json-schema-to-typescript, with each file of the vectors as a value of its type, and in
// Rust with quicktype.
//
//	node generate.mjs VECTORS FOLDER
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileFromFile } from "json-schema-to-typescript";

const [vectors, out] = process.argv.slice(2);
const quicktype = fileURLToPath(new URL("node_modules/.bin/quicktype", import.meta.url));
// A type that says nothing.
const vague = /\b(never|unknown|any|serde_json::Value)\b/;

function write(name, text) {
	const line = text.split("\n").find((line) => vague.test(line.replace(/\/\/.*/, "")));
	if (line !== undefined) throw new Error(`${name}: a type that says nothing: ${line.trim()}`);
	writeFileSync(join(out, name), text);
}

for (const folder of ["ts", "src"]) mkdirSync(join(out, folder), { recursive: true });
copyFileSync(join(vectors, "packages", "npm", "index.d.ts"), join(out, "ts", "npm.d.ts"));
const kinds = readdirSync(join(vectors, "schema")).map((name) => name.replace(".schema.json", ""));
for (const kind of kinds) {
	const schema = join(vectors, "schema", `${kind}.schema.json`);
	const types = await compileFromFile(schema, { bannerComment: "" });
	const top = /interface (\w+Vectors)\b/.exec(types)[1];
	write(`ts/${kind}.ts`, types);
	const imports = `import type { ${top} } from "./${kind}.ts";\nimport type { File } from "./npm.d.ts";\n`;
	const data = readFileSync(join(vectors, `${kind}.json`), "utf8");
	const typed = `export const packaged: File<"${kind}"> = file;\n`; // the types of the npm package allow what the schema does
	writeFileSync(join(out, "ts", `${kind}_file.ts`), `${imports}export const file: ${top} = ${data}${typed}`);
	const args = ["--src-lang", "schema", "--telemetry", "disable", "--lang", "rs", "--visibility", "public", "--no-leading-comments"];
	write(`src/${kind}.rs`, execFileSync(quicktype, [...args, "--top-level", "Vectors", schema], { encoding: "utf8" }));
}
writeFileSync(join(out, "src", "kinds.rs"), kinds.map((kind) => `mod ${kind};`).join("\n"));
writeFileSync(join(out, "src", "checks.rs"), `{ ${kinds.map((kind) => `check!(${kind});`).join(" ")} }`);
writeFileSync(join(out, "tsconfig.json"), JSON.stringify({
	compilerOptions: { strict: true, target: "es2022", module: "es2022", moduleResolution: "bundler", rewriteRelativeImportExtensions: true, rootDir: "ts", outDir: "js", types: [] },
	include: ["ts"],
}));
