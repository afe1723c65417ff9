package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const releasedHeader = "id\thash\tsince\twithdrawn\treason\tsuccessor\n"

// A register is released.tsv: every id that was ever in use, with a hash of its input and
// verdict. What a release had is fixed. Ids of the version in the making are not, until
// VERSION changes.
type register struct {
	version string
	fixed   map[string]*entry // of earlier versions
	tests   map[string]bool   // ids of this version
	ids     map[string]string // the same as rows of released.tsv, with the hash of each
	reasons [][]string        // withdrawn.txt
}

// An entry is a row of released.tsv. Withdrawn is the first version without the id.
type entry struct{ hash, since, withdrawn, reason, successor string }

func readRegister(data []byte, version string, reasons [][]string) (*register, error) {
	r := &register{version, map[string]*entry{}, map[string]bool{}, map[string]string{}, reasons}
	text, ok := strings.CutPrefix(string(data), releasedHeader)
	if !ok && len(data) > 0 {
		return nil, fmt.Errorf("released.tsv: line 1 is not %q", releasedHeader)
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 6 {
			return nil, fmt.Errorf("released.tsv: %q has %d columns, want 6", line, len(cells))
		}
		e := &entry{cells[1], cells[2], cells[3], cells[4], cells[5]}
		if e.since == version {
			continue
		}
		if e.withdrawn == version {
			e.withdrawn, e.reason, e.successor = "", "", ""
		}
		r.fixed[cells[0]] = e
	}
	return r, nil
}

// series matches the beginning of ids in the groups with a test for each number. Such a
// group has one row, with * for the number: the rows would be most of the file.
var series = regexp.MustCompile(`^flags/(every|octet|length)/`)

// add returns the id of a test: the given one, with -2, -3 and so on if a
// release used that for another input or verdict.
func (r *register) add(id string, t any) (string, error) {
	hash, err := hashOf(t)
	if err != nil {
		return "", err
	}
	if prefix := series.FindString(id); prefix != "" {
		r.ids[prefix+"*"] = shortHash([]byte(r.ids[prefix+"*"] + " " + id + " " + hash))
		return id, r.once(id)
	}
	for e := r.fixed[id]; e != nil && (e.withdrawn != "" || e.hash != hash); e = r.fixed[id] {
		id = r.next(id)
	}
	r.ids[id] = hash
	return id, r.once(id)
}

func (r *register) once(id string) error {
	if r.tests[id] {
		return fmt.Errorf("two tests are %s", id)
	}
	r.tests[id] = true
	return nil
}

// next returns the id that a test gets when its input or verdict changes: x-2 after x, x-3
// after x-2.
func (r *register) next(id string) string {
	i := strings.LastIndexByte(id, '-')
	if n, err := strconv.Atoi(id[i+1:]); err == nil && i > 0 && n > 1 && r.fixed[id[:i]] != nil {
		return fmt.Sprintf("%s-%d", id[:i], n+1)
	}
	return id + "-2"
}

// successor returns the id of this version that a withdrawn id became, or "".
func (r *register) successor(id string) string {
	for {
		id = r.next(id)
		if _, ok := r.ids[id]; ok {
			return id
		}
		if r.fixed[id] == nil {
			return ""
		}
	}
}

// close returns the text of released.tsv after all tests were added. An id of a release
// that is not among them needs a reason in withdrawn.txt.
func (r *register) close() ([]byte, error) {
	all := maps.Clone(r.fixed)
	used := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(r.fixed)) {
		e := r.fixed[id]
		hash, ok := r.ids[id]
		switch {
		case e.withdrawn != "" || ok && hash == e.hash:
			continue
		case ok:
			return nil, fmt.Errorf("%s: an input or verdict is not that of version %s; take it back", id, e.since)
		}
		i := slices.IndexFunc(r.reasons, func(row []string) bool { return matches(row[0], id) })
		if i < 0 {
			return nil, fmt.Errorf("%s is gone, or its input or verdict is not that of version %s: take it back, or give the reason in withdrawn.txt", id, e.since)
		}
		row := append(r.reasons[i], "")
		used[row[0]] = true
		*e = entry{e.hash, e.since, r.version, row[1], row[2]}
		if e.successor == "" {
			e.successor = r.successor(id)
		}
		if _, ok := r.ids[e.successor]; !ok && e.successor != "" {
			return nil, fmt.Errorf("withdrawn.txt: no test is %s, the successor of %s", e.successor, id)
		}
	}
	for _, row := range r.reasons {
		if !used[row[0]] {
			return nil, fmt.Errorf("withdrawn.txt: version %s withdraws no id that matches %s; delete the line", r.version, row[0])
		}
	}
	for id, hash := range r.ids {
		if all[id] == nil {
			all[id] = &entry{hash: hash, since: r.version}
		}
	}
	var out bytes.Buffer
	out.WriteString(releasedHeader)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		e := all[id]
		fmt.Fprintln(&out, strings.Join([]string{id, e.hash, e.since, e.withdrawn, e.reason, e.successor}, "\t"))
	}
	return out.Bytes(), nil
}

// hashed are the keys of a test that its hash covers, in this order. Of alert and quic_error,
// only the name is hashed.
var hashed = []string{
	"input", "prefixes", "pieces", "memory", "before", "sender", "message", "text", "state", "steps",
	"result", "outcome", "code", "offset", "alert", "quic_error", "action",
}

// hashOf is the first 8 hexadecimal digits of the SHA-256 of a line for each of these keys
// that the test has: the key, a space, and the value as compact JSON.
func hashOf(t any) (string, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return "", err
	}
	for _, key := range []string{"alert", "quic_error"} {
		var code struct{ Name json.RawMessage }
		if member, ok := members[key]; ok {
			if err := json.Unmarshal(member, &code); err != nil {
				return "", err
			}
			members[key] = code.Name
		}
	}
	var text []byte
	for _, key := range hashed {
		if value, ok := members[key]; ok {
			text = fmt.Appendf(text, "%s %s\n", key, value)
		}
	}
	return shortHash(text), nil
}

func shortHash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4])
}
