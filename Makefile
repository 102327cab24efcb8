# Everything a developer does. Needs git, make and python3 (3.9 or later); the first target that
# is run fetches the rest into .tools/, which takes about half a minute once.

PYTHON := .tools/dev/bin/python
SAM := env -u PYTHONPATH SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam
UV := .tools/uv/bin/uv
# Offline: its policies are in the package.
CHECKOV := env -u PYTHONPATH .tools/guard/bin/checkov --quiet --compact --skip-download

export PYTHONPATH := layers/storyhook/python

.DEFAULT_GOAL := help
.PHONY: help demo test check browser bench campaign fuzz openapi models up down status build deploy redrive \
	requirements clean tools lint types template format audit needs smoke

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: tools ## make a picture story on a local cloud: no account, no keys [MODEL=… STORY=…]
	@$(PYTHON) -m local.demo $(if $(MODEL),--model "$(MODEL)") $(if $(STORY),--story "$(STORY)") $(ARGS)

# In the files' order, the long ones of tests/reliability before the many small ones of tests/unit, so
# that both cores are done at the same time.
test: lint types template browser ## everything: lint, types, template, unit, integration and end to end
	@$(PYTHON) -m pytest --durations=10 -n auto --dist loadfile \
		--no-loadscope-reorder --ignore tests/e2e $(ARGS)
	@$(PYTHON) -m pytest --durations=10 tests/e2e $(ARGS)

browser: tools
	@$(PYTHON) -m tools.browser

check: lint types ## the quick part: lint, types, unit tests
	@$(PYTHON) -m pytest tests/unit --durations=5 $(ARGS)

bench: tools ## measure start-up, throughput and cost against the budgets
	@$(PYTHON) -m tests.bench $(ARGS)

campaign: tools ## what make test shows of faults at length; writes docs/reliability.md
	@$(PYTHON) -m tests.reliability $(ARGS)
	@$(if $(ARGS),,$(PYTHON) -m tests.reliability.pairs)
	@$(if $(ARGS),,$(PYTHON) -m pytest -q -s tests/e2e/storm.py)

fuzz: tools ## requests that nobody would write, for every operation [ARGS="--cases 100 --in-process"]
	@python3 -m tools.bootstrap fuzz
	@$(PYTHON) -m tests.fuzz $(ARGS)

openapi: tools ## describe the API again after a change; writes docs/openapi.json
	@$(PYTHON) -m tools.openapi

models: tools ## try every model of the catalogue on a local cloud; writes docs/models.md
	@$(PYTHON) -m local.trial $(ARGS)

up: tools ## start a local cloud to work with; it ends itself after 8 hours [NAME=… LIVE=1]
	@$(PYTHON) -m local up $(if $(NAME),--name "$(NAME)") $(if $(LIVE),--live)

down: tools ## stop it [NAME=…]
	@$(PYTHON) -m local down $(if $(NAME),--name "$(NAME)")

status: tools ## which local clouds are running, and how to reach them
	@$(PYTHON) -m local status

build: tools ## what would be deployed, into .aws-sam/ [ENV=prod]
	@rm -rf functions/*/__pycache__ # a function's folder is uploaded as it is
	@$(SAM) build --config-env $(or $(ENV),prod)

deploy: tools ## build and deploy to your AWS account; asks first [ENV=prod REGION=… ARGS=--yes]
	@$(PYTHON) -m tools.deploy --environment $(or $(ENV),prod) \
		$(if $(REGION),--region "$(REGION)") $(ARGS)

smoke: export STORYHOOK_API_KEY := $(or $(KEY),$(STORYHOOK_API_KEY))
smoke: tools ## is a deployed stack well? [URL=… or STACK=… REGION=…; KEY=… PAY=1 CALLBACK=…]
	@$(PYTHON) -m tools.smoke $(if $(URL),--url "$(URL)") $(if $(STACK),--stack-name "$(STACK)") \
		$(if $(REGION),--region "$(REGION)") $(if $(PAY),--pay) \
		$(if $(CALLBACK),--callback-url "$(CALLBACK)") $(ARGS)

redrive: tools ## send given-up messages (dead letters) again [STACK=… REGION=… ARGS=--look]
	@$(PYTHON) -m tools.redrive --stack-name $(or $(STACK),storyhook) \
		$(if $(REGION),--region "$(REGION)") $(ARGS)

format: tools ## rewrite the sources in the one format
	@$(PYTHON) -m ruff check --quiet --fix . ; $(PYTHON) -m ruff format .

COMPILE = $(UV) pip compile --quiet --python $(PYTHON) --python-version 3.13 --universal \
	--generate-hashes --no-header --no-annotate --no-emit-index-url $(if $(UPGRADE),--upgrade)

requirements: tools ## pin again after a change of a .in file [UPGRADE=1 for the newest of all]
	@$(COMPILE) layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	@for name in imaging exports; do \
		$(COMPILE) layers/$$name/requirements.in -o layers/$$name/requirements.txt || exit 1; done
	@$(COMPILE) requirements/dev.in client/pyproject.toml -o requirements/dev.txt
	@for name in cloud sam fuzz guard uv; do \
		$(COMPILE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

audit: ## look up known weaknesses of every pinned package; needs the internet
	@python3 -m tools.bootstrap guard
	@for pins in layers/*/requirements.txt requirements/*.txt; do \
		echo "$$pins"; .tools/guard/bin/pip-audit --require-hashes --disable-pip \
			--progress-spinner off --requirement $$pins || failed=1; done; test -z "$$failed"

needs: tools ## what the functions' roles lack, and what they hold for nothing
	@$(PYTHON) -m tests.needs

clean: ## stop local clouds; remove builds and caches (.tools/ stays)
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m local down --all; fi
	@rm -rf .aws-sam .local .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis

# Steps of the above; they have no use alone, apart from a quick look.
tools:
	@python3 -m tools.bootstrap

lint: tools
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --quiet --check .

types: tools
	@$(PYTHON) -m mypy

template: tools
	@python3 -m tools.bootstrap guard
	@$(SAM) validate --lint
	@$(CHECKOV) --file template.yaml --framework cloudformation
