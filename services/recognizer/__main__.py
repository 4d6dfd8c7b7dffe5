from services.recognizer.main import main

main()
