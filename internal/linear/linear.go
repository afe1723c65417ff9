// Package linear checks that work grows with the input and not with its square. It counts
// steps and reads no clock: a test that was built with coverage counts how often each
// statement ran, so nothing has to be added to the code that is measured.
package linear

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Shape is a form of input in many parts, such as extensions, segments or bytes.
type Shape struct {
	N int // parts of the large input
	// Prepare returns what reads an input of n parts.
	Prepare func(n int) func()
}

const (
	factor = 8  // the large input has so many times the parts of the small one
	limit  = 12 // and may take so many times the steps; quadratic work takes 64 times as many

	// Bytes may grow faster than the input, since slices grow in jumps and packages have tables.
	limitBytes = 2 * factor
	fewBytes   = 1 << 16
)

// variable holds, in a process that measures, the number of parts and the name of a shape.
const variable = "TLSFLAGS_LINEAR"

// Check reads every shape in two sizes and compares the statements that ran in the given
// packages, and the bytes that were allocated. If the test is not built to count, it
// builds and runs itself again. What the standard library does counts by its allocations.
func Check(t *testing.T, packages []string, shapes map[string]Shape) {
	if size, name, ok := strings.Cut(os.Getenv(variable), " "); ok {
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(allocated(shapes[name].Prepare(n)))
		return
	}
	if testing.CoverMode() != "count" {
		runAgain(t, packages)
		return
	}
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			steps, bytes := measure(t, s.N/factor, name)
			manySteps, manyBytes := measure(t, s.N, name)
			t.Logf("%d and %d parts: %d and %d steps, %d and %d bytes", s.N/factor, s.N, steps, manySteps, bytes, manyBytes)
			if steps == 0 {
				t.Error("nothing was counted")
			}
			if manySteps > limit*steps || manyBytes > limitBytes*max(bytes, fewBytes) {
				t.Errorf("%d parts take %d steps and %d bytes, %d take %d and %d", s.N/factor, steps, bytes, s.N, manySteps, manyBytes)
			}
		})
	}
}

// allocated returns how many bytes are allocated while work runs.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// runAgain runs the test in a program that counts statements.
func runAgain(t *testing.T, packages []string) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	out, err := exec.Command(goTool, "test", "-count=1", "-covermode=count", "-coverpkg="+strings.Join(packages, ","), "-run", "^"+t.Name()+"$", ".").CombinedOutput()
	if err != nil || strings.Contains(string(out), "no packages being tested depend on matches") {
		t.Errorf("%v\n%s", err, out)
	}
}

// measure reads an input of n parts in a process of its own, whose profile it adds up.
func measure(t *testing.T, n int, name string) (steps, bytes uint64) {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	test, _, _ := strings.Cut(t.Name(), "/")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.coverprofile="+profile)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", variable, n, name))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := fmt.Sscan(string(out), &bytes); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	file, err := os.Open(profile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var position string
		var statements, times uint64
		if n, _ := fmt.Sscan(lines.Text(), &position, &statements, &times); n == 3 {
			steps += statements * times
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return steps, bytes
}

// Orders are sequences in which n parts arrive.
var Orders = map[string]func(n int) []int{"forwards": Forwards, "backwards": Backwards, "interleaved": Interleaved}

// Forwards has the parts in their order.
func Forwards(n int) (order []int) {
	for i := range n {
		order = append(order, i)
	}
	return order
}

// Backwards has the last part first.
func Backwards(n int) []int {
	order := Forwards(n)
	slices.Reverse(order)
	return order
}

// Interleaved has the odd parts first.
func Interleaved(n int) (order []int) {
	for i := 1; i < n; i += 2 {
		order = append(order, i)
	}
	for i := 0; i < n; i += 2 {
		order = append(order, i)
	}
	return order
}
