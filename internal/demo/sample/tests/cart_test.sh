. lib/cart.sh
. tests/assert.sh
same "$(total 100 250 50)" 400
