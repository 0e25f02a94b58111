"""The DynamoDB of the faults suite answers as moto's does; the emulator is asked the same in tests/integration."""
