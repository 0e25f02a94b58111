# Builds the layers for `sam build` (BuildMethod: makefile). targets/<runtime>-<architecture>/Makefile includes this file;
# template.yaml selects that folder by its parameters, because make does not get them. SAM copies the layer's folder to
# a temporary directory, runs make there and packs the contents of ARTIFACTS_DIR. The build needs uv or pip. It selects
# wheels by name, so it needs neither Python 3.13 nor an arm64 machine to build for them.

TARGET := $(notdir $(patsubst %/,%,$(dir $(abspath $(firstword $(MAKEFILE_LIST))))))
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
VERSION := $(patsubst python%,%,$(firstword $(subst -, ,$(TARGET))))
MACHINE := $(subst arm64,aarch64,$(lastword $(subst -, ,$(TARGET))))
PACKAGES = $(ARTIFACTS_DIR)/python
# Lambda runs Python 3.11 on Amazon Linux 2, which has an older C library than Amazon Linux 2023.
LIBC := $(if $(filter 3.11,$(VERSION)),manylinux2014,manylinux_2_28)
# The local stack runs the functions on this machine, which can be a Mac. With PARLEY_LAYER_HOST=1 the wheels are for this
# machine.
UV_TARGET := $(if $(PARLEY_LAYER_HOST),,--python-platform $(MACHINE)-$(LIBC))
PIP_TARGET_OPTIONS := $(if $(PARLEY_LAYER_HOST),,--platform $(LIBC)_$(MACHINE) --platform manylinux_2_17_$(MACHINE) \
	--platform manylinux2014_$(MACHINE) --implementation cp --python-version $(VERSION))

# The layer contains boto3, although the managed runtime has one. So the functions run the tested version, locally too,
# and with byte code, which halves a cold start. botocore describes about 400 services; the layer keeps only these (1 MB
# instead of 20). Add the service here if a function calls another one.
SERVICES := apigatewaymanagementapi appconfigdata bedrock-runtime cloudwatch codepipeline dynamodb events kms lambda logs s3 \
	scheduler secretsmanager sns sqs ssm sts

.PHONY: build-DependenciesLayer build-SharedLayer build-BotLayer build-TokensLayer install compile

build-DependenciesLayer:
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" install
	@rm -rf "$(PACKAGES)"/Crypto/SelfTest "$(PACKAGES)"/boto3/examples
	@cd "$(PACKAGES)/botocore/data" && for service in */; do \
		case " $(SERVICES) " in *" $${service%/} "*) ;; *) rm -rf "$$service" ;; esac; \
	done
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

build-TokensLayer:
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" install
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

# `parley.testing` is for tests. It needs `tools` and `playground`, which no function has.
build-SharedLayer:
	@mkdir -p "$(PACKAGES)"
	@cp -R parley "$(PACKAGES)/parley"
	@rm -rf "$(PACKAGES)/parley/testing"
	@find "$(PACKAGES)" -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

# The team's modules are at the top of the import path, as they are in `mybot`. A module `app` would hide the handler of
# the function, or the handler would hide it. A module `parley` would hide the library. `make add` leaves out of
# requirements.txt what the dependencies layer holds, so its packages are installed without their dependencies.
build-BotLayer:
	@for name in app parley; do \
		if [ -e "$$name.py" ] || [ -e "$$name" ]; then \
			echo "mybot: the module name '$$name' is taken by Parley; please rename yours" >&2; exit 1; \
		fi; \
	done
	@for name in $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.txt 2>/dev/null); do \
		if grep -q "^$$name==" "$(ROOT)/layers/dependencies/requirements.txt"; then \
			echo "mybot: requirements.txt has '$$name', and so has the dependencies layer; please run 'make add'" >&2; exit 1; \
		fi; \
	done
	@mkdir -p "$(PACKAGES)"
	@if grep -q '^[A-Za-z0-9]' requirements.txt 2>/dev/null; then \
		$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" install OPTIONS=--no-deps; \
	fi
	@cp -R . "$(PACKAGES)"
	@cd "$(PACKAGES)" && rm -rf tests stages requirements.in requirements.txt settings*.local.json .[!.]*
	@find "$(PACKAGES)" -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(MAKE) --no-print-directory -f "$(firstword $(MAKEFILE_LIST))" compile

# Installs requirements.txt, with OPTIONS, for the target.
install:
	@mkdir -p "$(PACKAGES)"
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --no-config --require-hashes --only-binary :all: --no-compile-bytecode --link-mode copy \
			$(OPTIONS) $(UV_TARGET) --python-version $(VERSION) --target "$(PACKAGES)" -r requirements.txt; \
	else \
		python3 -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile \
			$(OPTIONS) $(PIP_TARGET_OPTIONS) --target "$(PACKAGES)" -r requirements.txt; \
	fi
	@rm -rf "$(PACKAGES)"/bin "$(PACKAGES)"/.lock

# Byte code: /opt is read-only, so without byte code every cold start compiles all modules. Only the same minor version
# of Python can make it. It is unchecked, because the sources of a layer never change. Tracebacks show Lambda's paths.
compile:
	@for python in python$(VERSION) "$(ROOT)"/.venv/bin/python "$(ROOT)"/.local/envs/py313/bin/python \
		"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(VERSION).*/bin/python$(VERSION); do \
		if "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(VERSION)")' >/dev/null 2>&1; then \
			exec "$$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
				-s "$(ARTIFACTS_DIR)" -p /opt "$(PACKAGES)"; \
		fi; \
	done; \
	echo "layer for $(TARGET): no Python $(VERSION) on this machine, so it holds no byte code and cold starts take about twice as long" >&2
