// Set up in each process that runs tests: it ends with the run that started it, however that went, and its servers with it.
process.once('disconnect', () => process.exit(1));
