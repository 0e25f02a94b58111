# Builds the layers, for `sam build` (BuildMethod: makefile). Included by targets/<runtime>-<architecture>/Makefile,
# which template.yaml picks by its parameters: make itself would not know them. SAM copies the layer's folder to a
# scratch directory, runs make there and takes what lies in ARTIFACTS_DIR. Needs uv or pip, for any target: the wheels
# are chosen by name, so no Python 3.13 and no arm64 machine is needed to build for them.

TARGET := $(notdir $(patsubst %/,%,$(dir $(abspath $(firstword $(MAKEFILE_LIST))))))
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
VERSION := $(patsubst python%,%,$(firstword $(subst -, ,$(TARGET))))
MACHINE := $(subst arm64,aarch64,$(lastword $(subst -, ,$(TARGET))))
PACKAGES = $(ARTIFACTS_DIR)/python
# Python 3.11 runs on Amazon Linux 2, with an older C library than its successors'.
LIBC := $(if $(filter 3.11,$(VERSION)),manylinux2014,manylinux_2_28)
# The local stack runs the functions on this machine itself, which may be a Mac: with PARLEY_LAYER_HOST=1 the wheels are
# this machine's.
UV_TARGET := $(if $(PARLEY_LAYER_HOST),,--python-platform $(MACHINE)-$(LIBC))
PIP_TARGET_OPTIONS := $(if $(PARLEY_LAYER_HOST),,--platform $(LIBC)_$(MACHINE) --platform manylinux_2_17_$(MACHINE) \
	--platform manylinux2014_$(MACHINE) --implementation cp --python-version $(VERSION))

# boto3 goes into the layer although the managed runtime has one: what runs is then what was tested, with the byte code
# that halves a cold start, and it is the same locally. Of botocore's descriptions of some 400 services only these are
# kept (1 MB instead of 20): a bot that calls another service adds its name here.
SERVICES := apigatewaymanagementapi appconfigdata bedrock-runtime cloudwatch dynamodb events kms lambda logs s3 \
	scheduler secretsmanager sns sqs ssm sts

.PHONY: build-DependenciesLayer build-SharedLayer build-BotLayer compile

build-DependenciesLayer:
	@mkdir -p "$(PACKAGES)"
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --no-config --require-hashes --only-binary :all: --no-compile-bytecode --link-mode copy \
			$(UV_TARGET) --python-version $(VERSION) --target "$(PACKAGES)" -r requirements.txt; \
	else \
		python3 -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile \
			$(PIP_TARGET_OPTIONS) --target "$(PACKAGES)" -r requirements.txt; \
	fi
	@rm -rf "$(PACKAGES)"/bin "$(PACKAGES)"/Crypto/SelfTest "$(PACKAGES)"/boto3/examples "$(PACKAGES)"/.lock
	@cd "$(PACKAGES)/botocore/data" && for service in */; do \
		case " $(SERVICES) " in *" $${service%/} "*) ;; *) rm -rf "$$service" ;; esac; \
	done
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

build-SharedLayer:
	@mkdir -p "$(PACKAGES)"
	@cp -R parley "$(PACKAGES)/parley"
	@find "$(PACKAGES)" -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

# The team's modules lie at the top of the import path, beside each other, as they do in `mybot`. A module `app` would
# hide the function's handler or be hidden by it, and `parley` would hide the library.
build-BotLayer:
	@for name in app parley; do \
		if [ -e "$$name.py" ] || [ -e "$$name" ]; then \
			echo "mybot: the module name '$$name' is taken by Parley; please rename yours" >&2; exit 1; \
		fi; \
	done
	@mkdir -p "$(PACKAGES)"
	@cp -R . "$(PACKAGES)"
	@rm -rf "$(PACKAGES)"/tests
	@find "$(PACKAGES)" -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

# Byte code: /opt cannot be written to, so without it every cold start compiles everything. Only the same minor version
# may make it; unchecked, because a layer's sources never change under it. The paths in tracebacks are Lambda's.
compile:
	@for python in python$(VERSION) "$(ROOT)"/.venv/bin/python "$(ROOT)"/.local/envs/py313/bin/python \
		"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(VERSION).*/bin/python$(VERSION); do \
		if "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(VERSION)")' >/dev/null 2>&1; then \
			exec "$$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
				-s "$(ARTIFACTS_DIR)" -p /opt "$(PACKAGES)"; \
		fi; \
	done; \
	echo "layer for $(TARGET): no Python $(VERSION) on this machine, so it holds no byte code and cold starts take about twice as long" >&2
