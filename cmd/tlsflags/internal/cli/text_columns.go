package cli

type column int

const (
	numberColumn column = iota
	timeColumn
	transportColumn
	clientColumn
	serverColumn
	nameColumn
	versionColumn
	framesColumn
	flagsColumn
	textColumns
)

var columnNames = [textColumns]string{
	numberColumn: "#", timeColumn: "TIME", transportColumn: "VIA", clientColumn: "CLIENT", serverColumn: "SERVER",
	nameColumn: "SERVER NAME", versionColumn: "VERSION", framesColumn: "FRAMES", flagsColumn: "TLS FLAGS",
}

// A cell has a short form for columns that are too narrow.
type cell struct{ long, short string }

// numberWidth is the width of numbers on a screen. A longer one takes room from the name.
const numberWidth = 5

// wholeWidths are the widths without a limit.
var wholeWidths = [textColumns]int{
	numberColumn: numberWidth - 1, timeColumn: len("00:00:00.000000"), transportColumn: len("dtls"),
	clientColumn: len("192.168.100.100:50000"), serverColumn: len("192.168.100.100:443"),
	nameColumn: 30, versionColumn: len("DTLS 1.2"), framesColumn: len("FRAMES"), flagsColumn: 1,
}

// fitting has the columns in the order in which they get room, and how wide they are then. The
// last column has what is left.
var fitting = []struct {
	column column
	width  int
}{
	{nameColumn, 20}, {flagsColumn, 24}, {numberColumn, numberWidth}, {timeColumn, len("00:00:00")},
	{clientColumn, len("192.168.100.100")}, {nameColumn, 30}, {versionColumn, len("DTLS 1.2")}, {clientColumn, len("192.168.100.100:50000")},
	{flagsColumn, 32}, {serverColumn, len("192.168.100.100:443")},
	{timeColumn, len("00:00:00.000000")}, {transportColumn, len("dtls")}, {framesColumn, 12}, {nameColumn, 50},
}

// fit returns the widths of the columns for a screen.
func fit(width int) (widths [textColumns]int) {
	rest := width + columnGap
	for _, step := range fitting {
		now := widths[step.column]
		if more := step.width - now; now > 0 {
			more = min(more, rest)
			widths[step.column] += more
			rest -= more
		} else if more+columnGap <= rest {
			widths[step.column] = more
			rest -= more + columnGap
		}
	}
	if widths[flagsColumn] == 0 { // half and half
		widths = [textColumns]int{}
		if width >= 36 {
			widths[numberColumn] = numberWidth
			width -= numberWidth + columnGap
		}
		widths[nameColumn] = max(width/2-columnGap, 1)
		widths[flagsColumn] = max(width-widths[nameColumn]-columnGap, 1)
		return widths
	}
	widths[flagsColumn] += rest
	return widths
}
