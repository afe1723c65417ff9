package sample

import "testing"

func TestClamp(t *testing.T) {
	if clamp(9) != 9 || clamp(10) != 10 || clamp(11) != 10 {
		t.Error("clamp")
	}
}

func TestName(t *testing.T) {
	if name(0) != "" || name(1) != "low" || name(2) != "low" || name(3) != "high" || name(4) != "" {
		t.Error("name")
	}
}

func TestSum(t *testing.T) {
	if sum([]kind{1, 2, 3}) != 6 || sum([]int{}) != 0 {
		t.Error("sum")
	}
}

// TestBoth misses the difference of && and ||.
func TestBoth(t *testing.T) {
	if !both(true, true) || both(false, false) {
		t.Error("both")
	}
}

func TestFirst(t *testing.T) {
	if v, _ := first([]int{4, 5}, false); v != 4 {
		t.Error("first")
	}
	if v, _ := first([]int{4}, true); v != 0 {
		t.Error("first")
	}
}

func TestLookup(t *testing.T) {
	if lookup(2) != 7 || lookup(3) != 5 {
		t.Error("lookup")
	}
}

func TestSign(t *testing.T) {
	for n, want := range map[int]int{-2: -1, -1: -1, 0: 0, 1: 1, 2: 1} {
		if got := sign(n); got != want {
			t.Errorf("sign(%d) is %d", n, got)
		}
	}
}
