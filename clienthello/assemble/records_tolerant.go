package assemble

import (
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// FaultRecordVersion is the code of a record whose major version is not 3.
const FaultRecordVersion = "record_version"

// oddRecord is a kind of fault in a stream of records.
type oddRecord uint8

const (
	oddVersion oddRecord = iota
	oddAlert
	oddChangeCipherSpec
	oddEmptyChangeCipherSpec
	oddEmpty
	oddRecordEnd
)

var oddRecords = [oddRecordEnd]struct {
	code    string
	servers clienthello.Servers
}{
	oddVersion:               {FaultRecordVersion, clienthello.CryptoTLS},
	oddAlert:                 {"record_alert", clienthello.CryptoTLS},
	oddChangeCipherSpec:      {"record_change_cipher_spec", clienthello.GnuTLS},
	oddEmptyChangeCipherSpec: {"record_change_cipher_spec_empty", clienthello.OpenSSL},
	oddEmpty:                 {"record_empty", clienthello.OpenSSL},
}

const (
	maxAlerts       = 16 // one after the other, in crypto/tls
	maxEmptyRecords = 32 // one after the other, in OpenSSL

	// maxMajor is the highest major version of a record that crypto/tls reads.
	maxMajor = 0x0f
)

// recordFaults is what a tolerant Records has passed over.
type recordFaults struct {
	first   [oddRecordEnd]uint32 // 1 + offset of the first fault of each kind, or 0
	refuses clienthello.Servers  // that do not pass over all of it
	row     uint8                // records passed over, one after the other
	strict  Result               // what the first fault gives without Tolerant
}

func (o *recordFaults) any() bool { return o.first != [oddRecordEnd]uint32{} }

// Faults returns what a Tolerant r has passed over before the message or in it: the first
// fault of each kind. It allocates if there are any. The codes are
//
//   - record_version: the major version of a record is not 3. crypto/tls reads any below
//     16 (the offset is that of the version);
//   - record_alert: warning alerts but close_notify, up to 16 in a row. crypto/tls passes
//     over them (at the record);
//   - record_change_cipher_spec: GnuTLS passes over any number of them (at the record);
//   - record_change_cipher_spec_empty: OpenSSL passes over empty ones before the
//     message (at the record);
//   - record_empty: OpenSSL passes over empty handshake records, up to 32 in a row (at the
//     length).
//
// What none of these servers passes over ends as without Tolerant, at the first fault; also
// if each server passes over some of the faults and none over all. A record version after the first record,
// which the standard wants ignored, ends nothing. What follows a HelloRetryRequest is read as
// without Tolerant.
func (r *Records) Faults() []clienthello.Fault {
	if !r.odd.any() {
		return nil
	}
	var faults []clienthello.Fault
	for i, at := range r.odd.first {
		if at > 0 {
			faults = append(faults, clienthello.Fault{Code: oddRecords[i].code, Offset: int(at - 1), Servers: oddRecords[i].servers})
		}
	}
	return faults
}

// Servers returns the servers that pass over all of Faults.
func (r *Records) Servers() clienthello.Servers { return clienthello.AllServers &^ r.odd.refuses }

// tolerates reports whether records of a type may be passed over.
func (r *Records) tolerates(typ byte) bool {
	return r.Tolerant && !r.again && (typ == recordHandshake || typ == recordAlert || typ == recordChangeCipherSpec)
}

// pass notes a fault at an offset, which ends all in strict without Tolerant. It reports
// whether a server reads on.
func (r *Records) pass(kind oddRecord, at int, strict Result) bool {
	if r.odd.strict.Outcome == NeedMore {
		r.odd.strict = strict
	}
	if r.odd.first[kind] == 0 {
		r.odd.first[kind] = uint32(at) + 1
	}
	r.odd.refuses |= clienthello.AllServers &^ oddRecords[kind].servers
	return r.odd.refuses != clienthello.AllServers
}

// passRow is pass for a record of which a server passes over limit in a row.
func (r *Records) passRow(kind oddRecord, at, limit int, strict Result) bool {
	r.odd.row++
	return r.pass(kind, at, strict) && int(r.odd.row) <= limit
}

// refuseOdd answers a record that is not passed over, whose type is at an offset.
func (r *Records) refuseOdd(at int) Result {
	if r.records == 0 {
		return Result{Outcome: Unrecognized}
	}
	return refused(extension.ErrRecordInterleaved, at)
}

// readMajor takes the major version of a record, which is at offset at and is not 3.
func (r *Records) readMajor(b byte, at int) Result {
	first := r.records == 0
	tolerant := r.Tolerant && !r.again
	switch {
	case !tolerant && first, tolerant && first && b > maxMajor:
		return Result{Outcome: Unrecognized}
	case !tolerant:
		return Result{}
	}
	strict := Result{}
	if first {
		strict.Outcome = Unrecognized
	}
	passed := r.pass(oddVersion, at, strict)
	if b > maxMajor {
		r.odd.refuses = clienthello.AllServers
	}
	if first && !passed {
		return strict
	}
	return Result{}
}

// readOddLength takes the length of an alert, of a change_cipher_spec or of an empty record,
// which is at offset at.
func (r *Records) readOddLength(length, at int) Result {
	record := at - 3
	passed := true
	switch typ := r.header[0]; {
	case typ == recordHandshake:
		strict := refused(extension.ErrRecordEmpty, at)
		if !r.passRow(oddEmpty, at, maxEmptyRecords, strict) {
			return strict
		}
	case typ == recordAlert:
		passed = length == 2
	case length == 0:
		passed = r.records == 0 && r.passRow(oddEmptyChangeCipherSpec, record, maxEmptyRecords, r.refuseOdd(record))
	default:
		passed = length == 1
	}
	if !passed {
		return r.refuseOdd(record)
	}
	r.headerLen = 0
	r.left = length
	return Result{}
}

// skipOdd passes over bytes of an alert or change_cipher_spec.
func (r *Records) skipOdd(part []byte) Result {
	for _, b := range part {
		record := r.pos - recordHeaderLen
		if r.header[0] == recordAlert && r.left == 1 {
			record--
		}
		strict := r.refuseOdd(record)
		passed := false
		switch {
		case r.header[0] == recordChangeCipherSpec:
			passed = b == 1 && r.pass(oddChangeCipherSpec, record, strict)
		case r.left == 2: // AlertLevel level;
			passed = b == alertWarning
		default: // AlertDescription description;
			passed = b != alertCloseNotify && r.passRow(oddAlert, record, maxAlerts, strict)
		}
		r.advance(1)
		if !passed {
			return strict
		}
	}
	return Result{}
}

const (
	recordHeaderLen  = 5
	alertWarning     = 1
	alertCloseNotify = 0
)
