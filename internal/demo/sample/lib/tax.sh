# tax CENTS [PERCENT]: the tax on an amount, rounded down to a cent.
tax() {
	echo $(($1 * ${2:-20} / 100))
}
