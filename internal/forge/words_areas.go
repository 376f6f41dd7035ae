package forge

import (
	"fmt"
	"strings"

	"lander/internal/queue"
)

const mostAreas = 8 // that are named

func sayIfGreen(areas queue.Areas) string {
	if len(areas) == 0 {
		return "Green: it lands as exactly that commit."
	}
	return "Green: it lands, on top of what lands in other areas meanwhile."
}

// sayTestedPerArea tells of a landing that is another commit than the one that was tested.
func sayTestedPerArea(areas queue.Areas, tested, base string, with []queue.Number, run int, steps string) string {
	where := strings.Join(files(areas, mostAreas), ", ")
	if areas.Everywhere() {
		where = "all areas"
	}
	return fmt.Sprintf("Tested per area (%s), as %s, in run %d. %s, together with all that was ahead of it there. It landed on top of %s%s.",
		where, tested, max(run, 1), capital(steps), base, sayTogether(with))
}
