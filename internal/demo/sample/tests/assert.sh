# same GOT WANT: ends the test unless both are equal.
same() {
	[ "$1" = "$2" ] && return
	echo "got $1, want $2"
	exit 1
}
