# SPDX-License-Identifier: GPL-3.0-or-later
# Every target installs what it needs on a Debian machine first, and says what it does.
.DEFAULT_GOAL := help
.PHONY: help bootstrap demo demo-down test lint unit sanity molecule e2e bench lab-clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

bootstrap: ## install everything that the other targets need
	@scripts/bootstrap all

demo: ## boot three lab hosts, deploy Kubernetes on them, show it, deploy again
	@scripts/bootstrap lab
	@scripts/demo up

demo-down: ## remove everything that the demo made
	@scripts/bootstrap lab
	@scripts/demo down

test: ## everything below, cheap parts first: lint, unit, sanity, molecule, e2e (30 minutes on 2 cores)
	@scripts/bootstrap all
	@scripts/test lint unit sanity molecule e2e

lint: ## ruff, mypy, shellcheck, yamllint, ansible-lint, collection build
	@scripts/bootstrap lint
	@scripts/test lint

unit: ## unit, contract and integration tests with branch coverage
	@scripts/bootstrap python
	@scripts/test unit

sanity: ## ansible-test sanity on the collection
	@scripts/bootstrap python
	@scripts/test sanity

molecule: ## the collection's scenarios on lab hosts
	@scripts/bootstrap lab
	@scripts/test molecule

e2e: ## end-to-end tests on lab hosts
	@scripts/bootstrap lab
	@scripts/test e2e

bench: ## measure installs against a shell script, and the budgets (options: make bench ARGS="--help")
	@scripts/bootstrap lab
	@scripts/bench $(ARGS)

lab-clean: ## remove the labs that tests and bench made
	@scripts/test clean
