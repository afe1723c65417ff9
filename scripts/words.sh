#!/usr/bin/env bash
# Counts words that make our English hard to read ("where" for "if", "behind" for
# "after", "stand" for "be", "holds that" for "checks that") in comments and Markdown.
# With LIST=1 it prints every line that has one. It fails at 10 in 1,000 lines.
source "$(dirname "$0")/lib.sh"

step "plain words in comments and Markdown"
git ls-files '*.go' '*.md' '*.sh' ':!*_table.go' ':!**/testdata/**' | xargs awk -v list="${LIST:-}" '
	FNR == 1 { markdown = FILENAME ~ /\.md$/; shell = FILENAME ~ /\.sh$/; code = 0 }
	markdown && /^```/ { code = !code; next }
	{
		text = $0
		if (markdown) {
			if (code || text ~ /^    / || text !~ /[A-Za-z]/) next
		} else if (shell) {
			if (text !~ /^[ \t]*# /) next
		} else if (!match(text, /(^|[ \t])\/\/ /)) next
		else text = substr(text, RSTART)
		lines++
		words = tolower(text)
		hits = gsub(/(^|[^a-z_.])(where|behind|stands?|holds that)([^a-z_]|$)/, "&", words)
		found += hits > 0
		if (hits && list) print FILENAME ":" FNR ": " $0
	}
	END {
		printf "%d of %d lines: %.1f in 1,000\n", found, lines, 1000 * found / lines
		exit 1000 * found >= 10 * lines
	}'
