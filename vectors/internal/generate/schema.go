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
	"uint8": number(255), "uint15": number(32767), "int32": number(math.MaxInt32),
	"side": names("client", "server"), "version": names(tls12, tls13), "request_text": names(text02, textEditor), "semver": pattern(`^\d+\.\d+\.\d+$`),
	"message": names("client_hello", "server_hello", "hello_retry_request", "encrypted_extensions", "certificate", "certificate_request", "new_session_ticket"),
	"links":   nonEmpty(pattern(`^https://`)), "no_flags": {"type": "array", "maxItems": 0},
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
			s = schema{"$ref": "#/$defs/" + base}
		}
		if isList {
			s = arrayOf(s)
		}
		properties[name] = s
	}
	return properties
}

// object has the members of all the maps.
func object(properties ...schema) schema {
	all := and(properties...)
	return schema{"type": "object", "properties": all, "required": slices.Sorted(maps.Keys(all)), "additionalProperties": false}
}

// and returns the members of all the maps.
func and(parts ...schema) schema {
	all := schema{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// optional adds a member that an object need not have.
func optional(object schema, member string) schema {
	object["properties"] = and(object["properties"].(schema), members(member))
	return object
}

func arrayOf(items schema) schema { return schema{"type": "array", "items": items} }

func nonEmpty(items schema) schema { return and(arrayOf(items), schema{"minItems": 1}) }

func names(values ...string) schema { return schema{"type": "string", "enum": values} }

// is has a member with one value.
func is(name string, value any) schema { return schema{name: schema{"const": value}} }

func oneOf(alternatives ...schema) schema { return schema{"oneOf": alternatives} }

func pattern(p string) schema { return schema{"type": "string", "pattern": p} }

func number(largest int) schema { return schema{"type": "integer", "minimum": 0, "maximum": largest} }

// schemaOf returns the schema of a file.
func schemaOf(f vectors.File) schema {
	noteNames := slices.Sorted(maps.Keys(f.Notes))
	notes := ""
	for _, name := range noteNames {
		notes += name + ":note "
	}
	defs := definitions(noteNames, f.Groups[0])
	var groups []schema
	for _, g := range f.Groups {
		shape := shapeOf(g)
		defs[shape] = testSchema(g)
		groups = append(groups, object(members("comment:text source:text"), is("kind", f.Kind), is("name", g.Name), is("entry", g.Entry),
			schema{"tests": nonEmpty(schema{"$ref": "#/$defs/" + shape})}))
	}
	return and(object(members("version:semver generated_by:text number_of_tests:positive"), is("schema", f.Schema), is("kind", f.Kind), schema{
		"spec":   nonEmpty(schema{"$ref": "#/$defs/text"}),
		"notes":  object(members(notes)),
		"groups": schema{"type": "array", "prefixItems": groups, "items": false, "minItems": len(groups)},
	}), schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "https://github.com/tlsflags/tlsflags/vectors/schema/" + f.Schema,
		"title":   "Test vectors of kind " + string(f.Kind),
		"$defs":   defs,
	})
}

func definitions(noteNames []string, first vectors.Group) schema {
	return schema{
		"text":            schema{"type": "string", "minLength": 1},
		"hex":             pattern(`^([0-9a-f]{2})*$`),
		"id":              pattern(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)+$`),
		"flags":           and(arrayOf(number(2039)), schema{"uniqueItems": true}),
		"uint16":          number(65535),
		"note":            object(members("description:text effect:text links:links")),
		"notes":           and(arrayOf(names(noteNames...)), schema{"uniqueItems": true}),
		"alert":           object(members("value:uint8 name:alert_name clause:text")),
		"alert_name":      names(slices.Sorted(maps.Keys(alerts))...),
		"alternatives":    arrayOf(alternative(first)),
		"quic_error":      object(members("value:uint16 name:quic_error_name clause:text")),
		"quic_error_name": names(slices.Sorted(maps.Keys(quicErrors))...),
		"crypto_error":    object(members("value:uint16 clause:text"), is("name", cryptoError)),
		"code":            names(slices.Sorted(maps.Keys(verdicts))...),
		"readings": nonEmpty(oneOf(
			object(members("document:text flags:flags"), is("result", vectors.Valid)),
			object(members("document:text flags:no_flags"), is("result", vectors.Invalid)),
		)),
		// Either nobody was asked yet, or all three were.
		"observed": schema{
			"type":                 "object",
			"patternProperties":    schema{`^(crypto/tls|openssl|gnutls)@[0-9a-z.]+$`: pattern("^(accept|waits|closes|[a-z_]+)$")},
			"additionalProperties": false,
			"oneOf":                []schema{{"maxProperties": 0}, {"minProperties": 3, "maxProperties": 3}},
		},
		"hello": object(members("legacy_version:uint16 session_id:hex compression_methods:hex extensions:uint16* server_name:string? alpn:string* supported_versions:uint16*"),
			schema{"cipher_suites": object(members("count:uint15 first:uint16 last:uint16"))}),
	}
}

// alternative is the schema of another answer to a test of the group.
func alternative(g vectors.Group) schema {
	valid, invalid, why := is("result", vectors.Valid), is("result", vectors.Invalid), members("clause:text who:string")
	refusal := and(invalid, members("alert:alert_name"), why)
	if g.Entry != vectors.Records && g.Entry != vectors.Datagrams {
		return oneOf(object(valid, why), object(refusal))
	}
	answers := []schema{
		object(valid, is("outcome", vectors.Complete), why),
		object(invalid, is("outcome", vectors.NeedMore), why),
		object(invalid, is("outcome", vectors.NotThisProtocol), why),
		object(refusal, is("outcome", vectors.Refused)),
	}
	if g.Kind == vectors.QUIC {
		answers = append(answers, object(invalid, is("outcome", vectors.Refused), members("quic_error:quic_error_name"), why))
	}
	return oneOf(answers...)
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

// others are the alternatives of a test that has no alert.
const others = "alternatives:alternatives"

// testSchema returns the schema of the tests of a group.
func testSchema(g vectors.Group) schema {
	common := members("id:id comment:text flags:notes observed:observed")
	valid, invalid := is("result", vectors.Valid), is("result", vectors.Invalid)
	refusal := and(invalid, members("code:code offset:natural alert:alert alternatives:alternatives"))
	switch g.Entry {
	case vectors.Records, vectors.Datagrams, vectors.QUICDatagrams, vectors.DTLSDatagrams:
		common = and(common, members("memory:int32"), schema{"pieces": nonEmpty(schema{"$ref": "#/$defs/hex"})})
		outcomes := []schema{
			optional(object(common, is("outcome", vectors.Complete), valid, members("joined:hex"), parsedSchema(g)), others),
			optional(object(common, is("outcome", vectors.NeedMore), invalid), others),
			optional(object(common, is("outcome", vectors.NotThisProtocol), invalid), others),
			object(common, is("outcome", vectors.Refused), refusal),
		}
		if g.Kind == vectors.QUIC {
			// A fault of TLS has an alert, one of QUIC has none.
			outcomes[3] = object(common, is("outcome", vectors.Refused), refusal, members("quic_error:crypto_error"))
			delete(refusal, "alert")
			outcomes = append(outcomes, object(common, is("outcome", vectors.Refused), refusal, members("quic_error:quic_error")))
		}
		return oneOf(outcomes...)
	case vectors.Exchange:
		common = and(common, members("text:request_text clause:text"), schema{
			"state": object(members("side:side version:version resumed:bool honor:bool always:bool require:bool has_certificate:bool mismatch:bool")),
			"steps": nonEmpty(object(members("from:side message:message input:hex"))),
		})
		return oneOf(
			object(common, is("action", vectors.Abort), invalid, members("alert:alert alternatives:alternatives")),
			optional(object(common, valid, schema{"action": schema{"enum": []vectors.Action{
				vectors.NoRequest, vectors.PlainRequest, vectors.AcknowledgedRequest, vectors.SendCertificate, vectors.SendEmpty, vectors.GoOn,
			}}}), others),
		)
	}
	maps.Copy(common, members("input:hex"))
	switch t := g.Tests[0]; {
	case t.Before != nil:
		maps.Copy(common, members("before:hex* sender:side message:message"))
	case t.Readings != nil:
		maps.Copy(common, members("readings:readings"))
	case t.Prefixes != nil:
		common["prefixes"] = object(members("from:natural to:natural"))
		delete(refusal, "offset")
	}
	return oneOf(object(common, refusal), optional(object(common, valid, parsedSchema(g)), others))
}

// parsedSchema has the member parsed of the tests of a group.
func parsedSchema(g vectors.Group) schema {
	if g.Entry == vectors.ExtensionData {
		return schema{"parsed": object(members("flags:some_flags"))}
	}
	hello := members("client_hello:hello")
	if g.Tests[0].Before != nil {
		hello = schema{} // only the flags are parsed
	}
	return schema{"parsed": oneOf(
		object(members("flags:no_flags"), hello),
		object(members("flags:some_flags"), hello, schema{"flags_extension": schema{"enum": []int{extFlags, extFlagsExperiment}}}),
	)}
}
