package main

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// A schema is a JSON Schema, or a part of one. Every object is closed: it has all the
// members that are named here, and no other.
type schema = map[string]any

// types are the types that a member may have in members, besides those in $defs.
var types = map[string]schema{
	"bool": {"type": "boolean"}, "string": {"type": "string"}, "string?": {"type": []string{"string", "null"}},
	"natural": {"type": "integer", "minimum": 0}, "positive": {"type": "integer", "minimum": 1},
	"uint8": number(255), "uint15": number(32767), "uint16": number(65535), "int32": number(math.MaxInt32),
	"side": names("client", "server"), "version": names(tls12, tls13), "request_text": names(text02, textEditor), "semver": pattern(`^\d+\.\d+\.\d+$`),
	"message": names("client_hello", "server_hello", "hello_retry_request", "encrypted_extensions", "certificate", "certificate_request", "new_session_ticket"),
	"links":   nonEmpty(pattern(`^https://`)), "no_flags": and(arrayOf(number(2039)), schema{"maxItems": 0}),
	"some_flags": and(nonEmpty(number(2039)), schema{"uniqueItems": true}),
}

// members has the members of an object, which are written as NAME:TYPE. A * after the
// type makes it a list.
func members(list string) schema {
	properties := schema{}
	for m := range strings.FieldsSeq(list) {
		name, typ, _ := strings.Cut(m, ":")
		base, isList := strings.CutSuffix(typ, "*")
		s, ok := types[base]
		if !ok {
			s = ref(base)
		}
		if isList {
			s = arrayOf(s)
		}
		properties[name] = s
	}
	return properties
}

// object has the members of all the maps, and may lack observed.
func object(properties ...schema) schema {
	all := and(properties...)
	required := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return name == "observed" })
	return schema{"type": "object", "properties": all, "required": required, "additionalProperties": false}
}

// and returns the members of all the maps.
func and(parts ...schema) schema {
	all := schema{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// optional adds members that an object need not have.
func optional(object schema, list string) schema {
	object["properties"] = and(object["properties"].(schema), members(list))
	return object
}

// ref is the schema of a name in $defs.
func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

func refs(names ...string) []schema {
	var list []schema
	for _, name := range names {
		list = append(list, ref(name))
	}
	return list
}

func arrayOf(items schema) schema { return schema{"type": "array", "items": items} }

func nonEmpty(items schema) schema { return and(arrayOf(items), schema{"minItems": 1}) }

func names(values ...string) schema { return schema{"type": "string", "enum": values} }

// is has a member with one value.
func is(name string, value any) schema { return schema{name: schema{"const": value}} }

func oneOf(alternatives ...schema) schema { return schema{"oneOf": alternatives} }

func pattern(p string) schema { return schema{"type": "string", "pattern": p} }

func number(largest int) schema { return schema{"type": "integer", "minimum": 0, "maximum": largest} }

// schemaOf returns the schema of a file. It names no groups, notes and flags of tests, so
// that a later version may have more of them.
func schemaOf(f file) schema {
	defs := definitions(f)
	var tests []string
	for name, s := range testSchemas(f) {
		defs[name] = s
		tests = append(tests, name)
	}
	slices.Sort(tests)
	defs["test"] = oneOf(refs(tests...)...)
	top := and(object(members("version:semver generated_by:text number_of_tests:positive"), is("schema", f.Schema), is("kind", f.Kind), schema{
		"spec":   nonEmpty(ref("text")),
		"notes":  schema{"type": "object", "additionalProperties": ref("note")},
		"groups": nonEmpty(ref("group")),
	}), schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://github.com/tlsflags/tlsflags/vectors/schema/" + f.Schema,
		"title":   string(f.Kind) + "_vectors",
	})
	used := schema{}
	addUsed(used, defs, top)
	top["$defs"] = used
	return top
}

// addUsed adds to used the definitions that a part of a schema needs.
func addUsed(used, defs schema, part any) {
	switch part := part.(type) {
	case schema:
		if to, ok := part["$ref"].(string); ok {
			name := strings.TrimPrefix(to, "#/$defs/")
			def, ok := defs[name].(schema)
			if !ok {
				panic("no definition of " + name)
			}
			if used[name] == nil {
				used[name] = def
				addUsed(used, defs, def)
			}
		}
		for _, member := range part {
			addUsed(used, defs, member)
		}
	case []schema:
		for _, element := range part {
			addUsed(used, defs, element)
		}
	}
}

func definitions(f file) schema {
	var entries []string
	for _, g := range f.Groups {
		if !slices.Contains(entries, string(g.Entry)) {
			entries = append(entries, string(g.Entry))
		}
	}
	return schema{
		"text": schema{"type": "string", "minLength": 1},
		"hex":  pattern(`^([0-9a-f]{2})*$`),
		"id":   pattern(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)+$`),
		"group": object(members("comment:text source:text"), is("kind", f.Kind), schema{
			"name": pattern(`^[a-z0-9]+(-[a-z0-9]+)*$`), "entry": names(entries...), "tests": nonEmpty(ref("test")),
		}),
		"note":            object(members("description:text effect:text links:links")),
		"flags":           and(arrayOf(pattern(`^[a-z0-9]+(_[a-z0-9]+)*$`)), schema{"uniqueItems": true}),
		"alert":           object(members("value:uint8 name:alert_name clause:text")),
		"alert_name":      names(slices.Sorted(maps.Keys(alerts))...),
		"alternative":     alternative(f),
		"quic_error":      object(members("value:uint16 name:quic_error_name clause:text")),
		"quic_error_name": names(slices.Sorted(maps.Keys(quicErrors))...),
		"crypto_error":    object(members("value:uint16 clause:text"), is("name", cryptoError)),
		"code":            names(slices.Sorted(maps.Keys(verdicts))...),
		"reading": oneOf(
			object(members("document:text flags:tls_flags"), is("result", vectors.Valid)),
			object(members("document:text flags:no_flags"), is("result", vectors.Invalid)),
		),
		"tls_flags": and(arrayOf(number(2039)), schema{"uniqueItems": true}),
		"observed": schema{
			"type":                 "object",
			"minProperties":        1,
			"propertyNames":        schema{"pattern": `^[a-z/-]+@[0-9a-z.]+$`},
			"additionalProperties": pattern("^([a-z_]+|[A-Z_]+)$"),
		},
		"hello": object(members("legacy_version:uint16 session_id:hex compression_methods:hex extensions:uint16* server_name:string? alpn:string* supported_versions:uint16*"),
			schema{"cipher_suites": object(members("count:uint15 first:uint16 last:uint16"))}),
		"state": object(members("side:side version:version resumed:bool honor:bool always:bool require:bool has_certificate:bool mismatch:bool")),
		"step":  object(members("from:side message:message input:hex")),
		"range": object(members("from:natural to:natural")),
	}
}

// inPieces reports whether the tests of a file have pieces.
func inPieces(f file) bool { return f.Groups[0].Tests[0].Pieces != nil }

// alternative is the schema of another answer to a test.
func alternative(f file) schema {
	valid, invalid, why := is("result", vectors.Valid), is("result", vectors.Invalid), members("clause:text who:string")
	refusal := and(invalid, members("alert:alert_name"), why)
	if !inPieces(f) {
		return oneOf(object(valid, why), object(refusal))
	}
	answers := []schema{
		object(valid, is("outcome", vectors.Complete), why),
		object(invalid, is("outcome", vectors.NeedMore), why),
		object(invalid, is("outcome", vectors.NotThisProtocol), why),
		object(refusal, is("outcome", vectors.Refused)),
	}
	if f.Kind.Any() == vectors.QUIC.Any() {
		answers = append(answers, object(invalid, is("outcome", vectors.Refused), members("quic_error:quic_error_name"), why))
	}
	return oneOf(answers...)
}

// others are the alternatives of a test that has no alert.
const others = "alternatives:alternative*"

// testSchemas returns the schemas of the tests of a file, one for each form of the verdict.
func testSchemas(f file) map[string]schema {
	common := members("id:id comment:text flags:flags observed:observed")
	valid, invalid := is("result", vectors.Valid), is("result", vectors.Invalid)
	refusal := and(invalid, members("code:code offset:natural alert:alert alternatives:alternative*"))
	kind := f.Kind.Any()
	switch {
	case inPieces(f):
		common = and(common, members("memory:int32"), schema{"pieces": nonEmpty(ref("hex"))})
		refused := is("outcome", vectors.Refused)
		tests := map[string]schema{
			"complete_test":          optional(object(common, is("outcome", vectors.Complete), valid, members("joined:hex"), parsedSchema(f)), others),
			"need_more_test":         optional(object(common, is("outcome", vectors.NeedMore), invalid), others),
			"not_this_protocol_test": optional(object(common, is("outcome", vectors.NotThisProtocol), invalid), others),
			"refused_test":           object(common, refused, refusal),
		}
		if kind == vectors.QUIC.Any() {
			// A fault of TLS has an alert, one of QUIC has none.
			tests["refused_test"] = object(common, refused, refusal, members("quic_error:crypto_error"))
			delete(refusal, "alert")
			tests["refused_in_quic_test"] = object(common, refused, refusal, members("quic_error:quic_error"))
		}
		return tests
	case kind == vectors.RequestMTLS.Any():
		common = and(common, members("text:request_text clause:text state:state"), schema{"steps": nonEmpty(ref("step"))})
		actions := names(string(vectors.NoRequest), string(vectors.PlainRequest), string(vectors.AcknowledgedRequest), string(vectors.SendCertificate), string(vectors.SendEmpty), string(vectors.GoOn))
		return map[string]schema{
			"abort_test":  object(common, is("action", vectors.Abort), invalid, members("alert:alert alternatives:alternative*")),
			"action_test": optional(object(common, valid, schema{"action": actions}), others),
		}
	}
	maps.Copy(common, members("input:hex"))
	more := ""
	tests := map[string]schema{}
	switch kind {
	case vectors.Messages.Any():
		maps.Copy(common, members("before:hex* sender:side message:message"))
	case vectors.TLSFlags.Any():
		more = "readings:reading*"
	case vectors.ClientHello.Any():
		prefixes := and(common, refusal, members("prefixes:range"), parsedSchema(f))
		delete(prefixes, "offset")
		tests["prefixes_test"] = object(prefixes)
	}
	tests["valid_test"] = optional(object(common, valid, parsedSchema(f)), others+" "+more)
	tests["invalid_test"] = optional(object(common, refusal), more)
	return tests
}

// parsedSchema has the member parsed of the valid tests of a file.
func parsedSchema(f file) schema {
	if f.Kind.Any() == vectors.TLSFlags.Any() {
		return schema{"parsed": object(members("flags:some_flags"))}
	}
	hello := members("client_hello:hello")
	if f.Kind.Any() == vectors.Messages.Any() {
		hello = schema{} // only the flags are parsed
	}
	return schema{"parsed": oneOf(
		object(members("flags:no_flags"), hello),
		object(members("flags:some_flags"), hello, schema{"flags_extension": schema{"type": "integer", "enum": []int{extFlags, extFlagsExperiment}}}),
	)}
}
