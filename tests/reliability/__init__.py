"""Nothing lost, nothing paid twice: shown under every fault that can be produced here."""
