# euro CENTS: the amount as people write it.
euro() {
	printf '%d.%02d\n' $(($1 / 100)) $(($1 % 100))
}
