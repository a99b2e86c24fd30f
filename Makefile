# `make run` and `make test` do all of their own set-up; tools/setup.py says how.

# The first Python that is new enough; `make run PYTHON=/path/to/python3` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; break; fi; done)
SETUP = "$(or $(PYTHON),$(error Paydesk needs Python 3.11 or later: install it, or name one with PYTHON=))" tools/setup.py

.PHONY: help run test night check bench bench-quick faults lock

help:
	@echo "make run             start the demo desk in the browser (data stays in var/)"
	@echo "make run FRESH=1     the same, with all data of the demo made anew"
	@echo "make run PORT=9000   the same, on another port (and the ones after it)"
	@echo "make test            format, lint, import contracts, types and every test"
	@echo "make test ARGS=...   the same, with options for pytest, such as ARGS='-k orders'"
	@echo "make night           every test at length, the benches, and all faults"
	@echo "make check           format, lint, types and import contracts only"
	@echo "make bench           measure a desk beside a bare handler of the same machine"
	@echo "make bench ARGS=...  one of them, such as ARGS='growth --orders 1000000'"
	@echo "make bench-quick     the same within three minutes, with fewer and shorter rounds"
	@echo "make faults          break what is around a desk, and measure what happens"
	@echo "make lock            write the locks anew after a change of dependencies"
	@echo "make lock UPGRADE=1  the same, with the newest versions allowed"

run:
	@$(SETUP) run $(if $(FRESH),--fresh) $(if $(PORT),--port $(PORT)) $(ARGS)

test:
	@$(SETUP) test $(ARGS)

night:
	@$(SETUP) night $(ARGS)

check:
	@$(SETUP) check

bench:
	@$(SETUP) bench $(ARGS)

bench-quick:
	@$(SETUP) bench --quick $(ARGS)

faults:
	@$(SETUP) faults $(ARGS)

lock:
	@$(SETUP) lock $(if $(UPGRADE),--upgrade)
