"""All figures, counts first: `python -m tests.bench [--quick]`. Times are told only as ratios within one run on one machine."""

import sys

from tests.bench import deciding, due, first_pull, letters, startup, unchanged

if __name__ == "__main__":
    quick = "--quick" in sys.argv[1:]
    unchanged.main([1_000] if quick else [1_000, 100_000])
    first_pull.main([2_000] if quick else [10_000, 100_000])
    due.main([10_000, 50_000] if quick else [10_000, 1_000_000])
    deciding.main(5_000 if quick else 20_000)
    letters.main(100 if quick else 1_000)
    startup.main()
