package main

import (
	"maps"
	"math"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

// A schema is a JSON Schema, or a part of one. Everything is closed: objects have
// every member that is named here, and no other.
type schema = map[string]any

func object(properties schema) schema {
	return schema{
		"type":                 "object",
		"properties":           properties,
		"required":             slices.Sorted(maps.Keys(properties)),
		"additionalProperties": false,
	}
}

func arrayOf(items schema) schema { return schema{"type": "array", "items": items} }

func names(values ...string) schema { return schema{"type": "string", "enum": values} }

func constant(v any) schema { return schema{"const": v} }

func oneOf(alternatives ...schema) schema { return schema{"oneOf": alternatives} }

func pattern(p string) schema { return schema{"type": "string", "pattern": p} }

func number(largest int) schema { return schema{"type": "integer", "minimum": 0, "maximum": largest} }

func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

// and returns the members of all the maps.
func and(parts ...schema) schema {
	all := schema{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// schemaOf returns the schema of a file.
func schemaOf(f vectors.File) schema {
	noteNames := slices.Sorted(maps.Keys(f.Notes))
	allNotes := schema{}
	for _, name := range noteNames {
		allNotes[name] = ref("note")
	}
	defs := definitions(noteNames)
	var groups []schema
	for _, g := range f.Groups {
		shape := shapeOf(g)
		defs[shape] = testSchema(g)
		groups = append(groups, schemaOfGroup(f.Kind, g, shape))
	}
	s := object(schema{
		"schema":          constant(f.Schema),
		"kind":            constant(f.Kind),
		"version":         pattern(`^\d+\.\d+\.\d+$`),
		"generated_by":    ref("text"),
		"spec":            schema{"type": "array", "items": ref("text"), "minItems": 1},
		"number_of_tests": schema{"type": "integer", "minimum": 1},
		"notes":           object(allNotes),
		"groups":          schema{"type": "array", "prefixItems": groups, "items": false, "minItems": len(groups)},
	})
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "https://github.com/tlsflags/tlsflags/vectors/schema/" + f.Schema
	s["title"] = "Test vectors of kind " + string(f.Kind)
	s["$defs"] = defs
	return s
}

func definitions(noteNames []string) schema {
	return schema{
		"text":   schema{"type": "string", "minLength": 1},
		"hex":    pattern(`^([0-9a-f]{2})*$`),
		"id":     pattern(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)+$`),
		"flags":  schema{"type": "array", "items": number(2039), "uniqueItems": true},
		"uint16": number(65535),
		"note": object(schema{
			"description": ref("text"),
			"effect":      ref("text"),
			"links":       schema{"type": "array", "items": pattern(`^https://`), "minItems": 1},
		}),
		"notes": schema{"type": "array", "items": names(noteNames...), "uniqueItems": true},
		"alert": object(schema{
			"value":  number(255),
			"name":   ref("alert_name"),
			"clause": ref("text"),
		}),
		"alert_name": names(slices.Sorted(maps.Keys(alerts))...),
		"alternatives": arrayOf(object(schema{
			"alert":  ref("alert_name"),
			"clause": schema{"type": "string"},
			"who":    schema{"type": "string"},
		})),
		"code":     names(slices.Sorted(maps.Keys(verdicts))...),
		"readings": schema{"type": "array", "items": oneOf(readingSchema(vectors.Valid), readingSchema(vectors.Invalid)), "minItems": 1},
		// Either nobody was asked, or all three were.
		"observed": schema{
			"type": "object",
			"patternProperties": schema{
				`^(crypto/tls|openssl|gnutls)@[0-9a-z.]+$`: schema{"type": "string", "pattern": "^(accept|waits|closes|[a-z_]+)$"},
			},
			"additionalProperties": false,
			"oneOf":                []schema{{"maxProperties": 0}, {"minProperties": 3, "maxProperties": 3}},
		},
		"hello": object(schema{
			"legacy_version":      ref("uint16"),
			"session_id":          ref("hex"),
			"cipher_suites":       object(schema{"count": number(32767), "first": ref("uint16"), "last": ref("uint16")}),
			"compression_methods": ref("hex"),
			"extensions":          arrayOf(ref("uint16")),
			"server_name":         schema{"type": []string{"string", "null"}},
			"alpn":                arrayOf(schema{"type": "string"}),
			"supported_versions":  arrayOf(ref("uint16")),
		}),
	}
}

func readingSchema(r vectors.Result) schema {
	flags := ref("flags")
	if r == vectors.Invalid {
		flags = schema{"type": "array", "maxItems": 0}
	}
	return object(schema{"document": ref("text"), "result": constant(r), "flags": flags})
}

// shapeOf names the members that the tests of a group have.
func shapeOf(g vectors.Group) string {
	switch t := g.Tests[0]; {
	case t.Readings != nil:
		return "test_with_readings"
	case t.Prefixes != nil:
		return "test_of_prefixes"
	}
	return "test"
}

// schemaOfGroup returns the schema of a group of the name and entry of g, whose tests
// have the given shape.
func schemaOfGroup(k vectors.Kind, g vectors.Group, shape string) schema {
	return object(schema{
		"kind":    constant(k),
		"name":    constant(g.Name),
		"comment": ref("text"),
		"entry":   constant(g.Entry),
		"source":  ref("text"),
		"tests":   schema{"type": "array", "items": ref(shape), "minItems": 1},
	})
}

func testSchema(g vectors.Group) schema {
	common := schema{
		"id":       ref("id"),
		"comment":  ref("text"),
		"flags":    ref("notes"),
		"observed": ref("observed"),
		"input":    ref("hex"),
	}
	refusal := schema{
		"result":       constant(vectors.Invalid),
		"code":         ref("code"),
		"offset":       schema{"type": "integer", "minimum": 0},
		"alert":        ref("alert"),
		"alternatives": ref("alternatives"),
	}
	switch g.Entry {
	case vectors.Records, vectors.Datagrams:
		return pieceSchema(g, common, refusal)
	case vectors.Exchange:
		return exchangeSchema(common)
	}
	if g.Tests[0].Before != nil {
		common["before"] = arrayOf(ref("hex"))
		common["sender"] = names("client", "server")
		common["message"] = messageNames()
	}
	if g.Tests[0].Readings != nil {
		common["readings"] = ref("readings")
	}
	if g.Tests[0].Prefixes != nil {
		common["prefixes"] = object(schema{"from": schema{"type": "integer", "minimum": 0}, "to": schema{"type": "integer", "minimum": 0}})
		delete(refusal, "offset")
	}
	return oneOf(
		object(and(common, refusal)),
		object(and(common, schema{"result": constant(vectors.Valid), "parsed": parsedSchema(g)})),
	)
}

// pieceSchema has a form for each outcome.
func pieceSchema(g vectors.Group, common, refusal schema) schema {
	delete(common, "input")
	common["pieces"] = schema{"type": "array", "items": ref("hex"), "minItems": 1}
	common["memory"] = number(math.MaxInt32)
	outcome := func(o vectors.Outcome) schema { return schema{"outcome": constant(o)} }
	unsaid := schema{"result": constant(vectors.Invalid)}
	complete := schema{"result": constant(vectors.Valid), "joined": ref("hex"), "parsed": parsedSchema(g)}
	return oneOf(
		object(and(common, outcome(vectors.Complete), complete)),
		object(and(common, outcome(vectors.NeedMore), unsaid)),
		object(and(common, outcome(vectors.NotThisProtocol), unsaid)),
		object(and(common, outcome(vectors.Refused), refusal)),
	)
}

func exchangeSchema(common schema) schema {
	flag := schema{"type": "boolean"}
	delete(common, "input")
	common["text"] = names(text02, textEditor)
	common["clause"] = ref("text")
	common["state"] = object(schema{
		"side": names("client", "server"), "version": names(tls12, tls13), "resumed": flag, "honor": flag, "always": flag, "require": flag,
		"has_certificate": flag, "mismatch": flag,
	})
	common["steps"] = schema{"type": "array", "minItems": 1, "items": object(schema{
		"from": names("client", "server"), "message": messageNames(), "input": ref("hex"),
	})}
	return oneOf(
		object(and(common, schema{"result": constant(vectors.Invalid), "action": constant(vectors.Abort), "alert": ref("alert"), "alternatives": ref("alternatives")})),
		object(and(common, schema{"result": constant(vectors.Valid), "action": schema{"enum": []vectors.Action{
			vectors.NoRequest, vectors.PlainRequest, vectors.AcknowledgedRequest, vectors.SendCertificate, vectors.SendEmpty, vectors.GoOn,
		}}})),
	)
}

func messageNames() schema {
	return names("client_hello", "server_hello", "hello_retry_request", "encrypted_extensions", "certificate", "certificate_request", "new_session_ticket")
}

func parsedSchema(g vectors.Group) schema {
	flags := schema{"flags": schema{"type": "array", "items": number(2039), "minItems": 1, "uniqueItems": true}}
	if g.Entry == vectors.ExtensionData {
		return object(flags)
	}
	none := schema{"flags": schema{"type": "array", "maxItems": 0}}
	hello := schema{"client_hello": ref("hello")}
	if g.Tests[0].Before != nil {
		hello = schema{} // only the flags are looked at
	}
	return oneOf(
		object(and(none, hello)),
		object(and(flags, hello, schema{"flags_extension": schema{"enum": []int{extFlags, extFlagsExperiment}}})),
	)
}
