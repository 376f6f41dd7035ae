#!/bin/sh
# Runs every test file in a shell of its own; says which failed and why.
set -u
failed=0
for test in tests/*_test.sh; do
	if said=$(sh "$test" 2>&1); then
		echo "ok    $test"
	else
		echo "FAIL  $test"
		echo "$said" | sed 's/^/      /'
		failed=1
	fi
done
exit $failed
