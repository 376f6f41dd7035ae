. lib/money.sh
. tests/assert.sh
same "$(euro 1234)" 12.34
same "$(euro 5)" 0.05
