. lib/tax.sh
. tests/assert.sh
same "$(tax 1000)" 200
same "$(tax 999 7)" 69
