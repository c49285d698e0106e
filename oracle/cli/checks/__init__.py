"""What `oracle doctor` looks at: settings, the machine, the chain."""
