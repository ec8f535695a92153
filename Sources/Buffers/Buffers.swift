// The map of this target comes with its content.
