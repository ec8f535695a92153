// The command line comes with its content.
