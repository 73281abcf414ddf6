package agent

import (
	"strings"
	"testing"

	"mintage"
)

// TestList finds lines of agents.txt that have no effect: words that another line
// covers with the same class, or that no header can have.
func TestList(t *testing.T) {
	for word, class := range agents.words {
		without := *agents
		without.words = map[string]mintage.AgentClass{}
		for w, c := range agents.words {
			if w != word {
				without.words[w] = c
			}
		}
		if without.classOf(word) == class {
			t.Errorf("%s is a %s without its line", word, class)
		}
		if got := listed("Thing/1.0 (" + strings.ToUpper(word) + "/2.3)"); got != class && class != person {
			t.Errorf("%s is found as %q instead of %s", word, got, class)
		}
	}
	for i, a := range agents.suffixes {
		for j, b := range agents.suffixes {
			if i != j && strings.HasSuffix(a.text, b.text) {
				t.Errorf("*%s is covered by *%s", a.text, b.text)
			}
		}
	}
	for i, a := range agents.prefixes {
		for j, b := range agents.prefixes {
			if i != j && strings.HasPrefix(a.text, b.text) {
				t.Errorf("%s* is covered by %s*", a.text, b.text)
			}
		}
	}
}

func TestParseListRefuses(t *testing.T) {
	for _, line := range []string{"robot", "bandit bot", "robot *", "robot *a*", "robot a*b", "robot Upper", "robot two words", "robot a\nrobot a"} {
		if _, err := parseList(line); err == nil {
			t.Errorf("%q passes", line)
		}
	}
}

// TestMemoIsBounded keeps what is remembered within its bounds.
func TestMemoIsBounded(t *testing.T) {
	var m memo
	for i := range 3 * maxMemo {
		m.class("Mozilla/5.0 "+strings.Repeat("x", i%700)+string(rune('a'+i%26)), strings.Repeat("y", i%300))
	}
	m.class(strings.Repeat("z", 5000), "")
	n := 0
	m.classes.Range(func(key, _ any) bool {
		n++
		if p, _ := key.(pair); len(p.userAgent) > maxUserAgent {
			t.Error("a header of any length is remembered")
		}
		return true
	})
	if n > maxMemo {
		t.Errorf("%d pairs are remembered instead of %d at most", n, maxMemo)
	}
}
