from services.model_server.main import main

main()
