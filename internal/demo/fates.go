package demo

import (
	"strings"

	"lander/internal/hub"
)

// What can become of a pull request, as the story expects it and as it is found out.
const (
	fateLanded    = "landed"
	fateConflict  = "dropped: conflict"
	fateFailed    = "dropped: failed"
	fateTimedOut  = "dropped: timed out"
	fateHeld      = "held: draft"
	fateWithdrawn = "withdrawn"
	fateVoided    = "approval void"
)

// fate is one pull request of the story.
type fate struct {
	name    string // the branch
	title   string
	body    string
	want    string
	because string // what the reason that lander gives must contain; empty: there is none
	author  string // empty: contributor
	behind  bool   // made before the second commit of trunk
	fork    bool
	draft   bool
	commits []hub.Commit
}

// fates lists the pull requests in the order they are opened. files is the sample as on trunk.
func fates(files map[string]string) []fate {
	with := func(path, from, to string) map[string]string {
		if !strings.Contains(files[path], from) {
			panic("sample: " + path + " does not hold " + from)
		}
		return map[string]string{path: strings.Replace(files[path], from, to, 1)}
	}
	one := func(message string, changes ...map[string]string) []hub.Commit {
		all := map[string]string{}
		for _, c := range changes {
			for path, text := range c {
				all[path] = text
			}
		}
		return []hub.Commit{{Message: message, Files: all}}
	}
	return []fate{
		{
			name: "how-to-test", title: "Say how to run the tests", want: fateLanded,
			body:    "On top of trunk already: it lands as the very commit that was reviewed.",
			commits: one("Say how to run the tests", with("README.md", "Amounts are whole cents.", "Amounts are whole cents. Run the tests with `sh tests/run.sh`.")),
		},
		{
			name: "tax-free", title: "Test that zero percent is no tax", want: fateLanded, behind: true,
			body:    "Trunk moved on since this branch was made: it is rebased before it is tested.",
			commits: one("Test that zero percent is no tax", map[string]string{"tests/tax_free_test.sh": ". lib/tax.sh\n. tests/assert.sh\nsame \"$(tax 1000 0)\" 0\n"}),
		},
		{
			name: "discount", title: "Add a discount", want: fateLanded,
			body: "Three commits, the last a fixup of the first: all three land, each rebased.",
			commits: []hub.Commit{
				{Message: "Add a discount", Files: map[string]string{"lib/discount.sh": "# discount CENTS PERCENT: what is left to pay.\ndiscount() {\n\techo $(($1 - $1 * $2 / 10))\n}\n"}},
				{Message: "Test the discount", Files: map[string]string{"tests/discount_test.sh": ". lib/discount.sh\n. tests/assert.sh\nsame \"$(discount 1000 25)\" 750\n"}},
				{Message: "fixup! Add a discount", Files: map[string]string{"lib/discount.sh": "# discount CENTS PERCENT: what is left to pay.\ndiscount() {\n\techo $(($1 - $1 * $2 / 100))\n}\n"}},
			},
		},
		{
			name: "how-to-test-better", title: "Say how to run the tests, differently", want: fateConflict, because: "README.md",
			body:    "Changes the same line as the first: when that has landed, this one does not apply any more.",
			commits: one("Say how to run the tests, differently", with("README.md", "Amounts are whole cents.", "Amounts are whole cents. Tests: see tests/.")),
		},
		{
			name: "round-up", title: "Round taxes up", want: fateFailed, because: "unit",
			body:    "Breaks a test.",
			commits: one("Round taxes up", with("lib/tax.sh", "/ 100))", "/ 100 + 1))")),
		},
		{
			name: "wait-for-rates", title: "Wait for the exchange rates", want: fateTimedOut, because: "nothing for 3s",
			body:    "A test of it never ends.",
			commits: one("Wait for the exchange rates", map[string]string{"tests/rates_test.sh": "sleep 600\n"}),
		},
		{
			name: "rename-total", title: "Rename total to cart_total", want: fateLanded,
			body: "Green alone. So is the next one.",
			commits: one("Rename total to cart_total",
				map[string]string{"lib/cart.sh": strings.ReplaceAll(files["lib/cart.sh"], "total", "cart_total"), "tests/cart_test.sh": strings.ReplaceAll(files["tests/cart_test.sh"], "total ", "cart_total ")}),
		},
		{
			name: "receipt", title: "Print receipts", want: fateFailed, because: "unit",
			body: "Green alone, and no line in common with the one before; but it calls total, which is cart_total by then.",
			commits: one("Print receipts", map[string]string{
				"lib/receipt.sh":        ". lib/cart.sh\n. lib/money.sh\n\n# receipt CENTS...: the last line of a receipt.\nreceipt() {\n\techo \"to pay: $(euro \"$(total \"$@\")\")\"\n}\n",
				"tests/receipt_test.sh": ". lib/receipt.sh\n. tests/assert.sh\nsame \"$(receipt 100 250)\" 'to pay: 3.50'\n",
			}),
		},
		{
			name: "sneaky", title: "Tidy the assertions", want: fateVoided, because: "new commits were pushed",
			body:    "More is pushed after it was approved: nobody has reviewed that, so it must not land.",
			commits: one("Tidy the assertions", with("tests/assert.sh", "got $1, want $2", "got '$1', want '$2'")),
		},
		{
			name: "second-thoughts", title: "Drop the percent default", want: fateWithdrawn,
			body:    "Approved, and then its author takes it back.",
			commits: one("Drop the percent default", with("lib/tax.sh", "${2:-20}", "$2")),
		},
		{
			name: "through-the-pause", title: "Test large amounts", want: fateLanded,
			body:    "Approved while an admin has paused landing: it lands after the resume, not before.",
			commits: one("Test large amounts", map[string]string{"tests/large_test.sh": ". lib/money.sh\n. tests/assert.sh\nsame \"$(euro 123456789)\" 1234567.89\n"}),
		},
		{
			name: "from-a-fork", title: "Test an empty cart", want: fateLanded, author: outsider, fork: true,
			body: "Its head lives in another repository. It calls no function by name, so no rename breaks it.",
			commits: one("Test an empty cart", map[string]string{
				"tests/empty_test.sh": "for f in lib/*.sh; do\n\t. \"./$f\"\ndone\n. tests/assert.sh\nsame \"$(euro 0)\" 0.00\n",
			}),
		},
		{
			name: "draft", title: "Sketch of invoices", want: fateHeld, because: "draft", draft: true,
			body:    "Approved, but a draft: it waits until its author says it is ready.",
			commits: one("Sketch of invoices", map[string]string{"lib/invoice.sh": "# To come.\n"}),
		},
		{
			name: "free-pass", title: "Make the tests quicker", want: fateFailed, because: "unit",
			body: "Breaks the code and edits .lander.yml so that the suite is `true`. The suite that counts is trunk's.",
			commits: one("Make the tests quicker",
				with(".lander.yml", "run: sh tests/run.sh", "run: \"true\""),
				with("lib/money.sh", "%02d", "%d")),
		},
		{
			name: "news-one", title: "Announce discounts", want: fateLanded,
			body:    "Changes the line that the next one changes.",
			commits: one("Announce discounts", with("CHANGES.md", "Next: nothing yet.", "Next: discounts.")),
		},
		{
			name: "news-union", title: "Announce receipts", want: fateConflict, because: "CHANGES.md",
			body: "Changes the same line, and brings a .gitattributes that tells git to keep both sides of any conflict. A conflict it stays.",
			commits: one("Announce receipts",
				map[string]string{".gitattributes": "CHANGES.md merge=union\n"},
				with("CHANGES.md", "Next: nothing yet.", "Next: receipts.")),
		},
		{
			name: "lost-webhook", title: "Test a tax of one cent", want: fateLanded,
			body:    "The webhook that tells of its approval is lost: lander finds out by asking.",
			commits: one("Test a tax of one cent", map[string]string{"tests/cent_test.sh": ". lib/tax.sh\n. tests/assert.sh\nsame \"$(tax 1 50)\" 0\n"}),
		},
		{
			name: "webhook-twice", title: "Test a full tax", want: fateLanded,
			body:    "The webhook comes twice: it lands once.",
			commits: one("Test a full tax", map[string]string{"tests/full_test.sh": ". lib/tax.sh\n. tests/assert.sh\nsame \"$(tax 500 100)\" 500\n"}),
		},
		{
			name: "pushed-past", title: "Test slowly", want: fateLanded,
			body:    "While it is being tested an admin pushes to trunk past lander: it is rebased and tested again on top of that.",
			commits: one("Test slowly", slow()),
		},
	}
}

// slow is tests that take eight seconds, two at a time so that none is quiet for long; on top of the fire none.
func slow() map[string]string {
	files := map[string]string{}
	for _, n := range []string{"1", "2", "3", "4"} {
		files["tests/slow_"+n+"_test.sh"] = "grep -q taxes NOTICE || sleep 2\n"
	}
	return files
}
